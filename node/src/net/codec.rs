//! Framing of requests and responses: a 32-bit big-endian length, then that many bytes.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;

use super::limits::FIRST_ALLOCATION;

/// Reads and writes frames of at most `limit` bytes.
#[derive(Debug, Clone)]
pub(super) struct SyncCodec {
    pub(super) limit: usize,
}

impl Codec for SyncCodec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(io, self.limit).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(io, self.limit).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &request, self.limit).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &response, self.limit).await
    }
}

/// The length is judged before anything is allocated, and memory grows with the bytes that really
/// arrive, not with the claim.
async fn read_frame<T>(io: &mut T, limit: usize) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let length = u32::from_be_bytes(prefix);
    let fits = usize::try_from(length).is_ok_and(|length| length <= limit);
    if !fits {
        return Err(too_long(u64::from(length), limit));
    }
    let mut frame = Vec::with_capacity((length as usize).min(FIRST_ALLOCATION));
    io.take(u64::from(length)).read_to_end(&mut frame).await?;
    if frame.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(frame)
}

async fn write_frame<T>(io: &mut T, frame: &[u8], limit: usize) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    let length = match u32::try_from(frame.len()) {
        Ok(length) if frame.len() <= limit => length,
        _ => return Err(too_long(frame.len() as u64, limit)),
    };
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(frame).await?;
    io.flush().await
}

fn too_long(length: u64, limit: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a message of {length} bytes is over the limit of {limit}"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use futures::executor::block_on;
    use futures::io::Cursor;

    #[test]
    fn a_frame_returns_as_it_was_written() {
        for length in [0, 1, 300, 64 * 1024] {
            let frame = vec![7; length];
            let mut wire = Vec::new();
            block_on(write_frame(&mut wire, &frame, 64 * 1024)).unwrap();
            assert_eq!(wire.len(), 4 + length);
            let read = block_on(read_frame(&mut Cursor::new(wire), 64 * 1024)).unwrap();
            assert_eq!(read, frame);
        }
    }

    #[test]
    fn a_claim_over_the_limit_is_refused_before_the_body() {
        let mut claim = Cursor::new(1025u32.to_be_bytes().to_vec());
        let error = block_on(read_frame(&mut claim, 1024)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let mut claim = Cursor::new(u32::MAX.to_be_bytes().to_vec());
        assert!(block_on(read_frame(&mut claim, 1024)).is_err());
        assert!(block_on(write_frame(&mut Vec::new(), &[0; 1025], 1024)).is_err());
    }

    #[test]
    fn a_frame_cut_short_is_an_error() {
        let mut wire = Vec::new();
        block_on(write_frame(&mut wire, &[1, 2, 3, 4], 1024)).unwrap();
        for cut in 0..wire.len() {
            let mut short = Cursor::new(wire[..cut].to_vec());
            let error = block_on(read_frame(&mut short, 1024)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
        }
    }
}
