//! A request's body with a bound on its size and its time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::problem::Problem;

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// More bytes than this.
    TooLarge(u64),
    /// Not complete in time.
    TooSlow,
    /// The sender stopped in the middle, or framed it wrongly.
    Broken,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(limit) => write!(f, "the body is larger than {limit} bytes"),
            Self::TooSlow => f.write_str("the body did not arrive in time"),
            Self::Broken => f.write_str("the body is incomplete or wrongly framed"),
        }
    }
}

impl std::error::Error for BodyError {}

impl BodyError {
    /// The cause hidden in an error of the web framework.
    pub(super) fn within(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<Self>() {
                return *found;
            }
            cause = error.source();
        }
        Self::Broken
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(limit) => Self::too_large(limit),
            BodyError::TooSlow => Self::too_slow("the body did not arrive in time"),
            BodyError::Broken => Self::bad_request(error.to_string()).closing(),
        }
    }
}

/// `body` with its bounds.
pub(super) fn bounded(body: Incoming, bytes: u64, time: Duration) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(Bounded {
        body,
        limit: bytes,
        left: bytes,
        deadline: Box::pin(sleep(time)),
    })
}

struct Bounded {
    body: Incoming,
    limit: u64,
    left: u64,
    deadline: Pin<Box<Sleep>>,
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(BodyError::Broken))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                return self.deadline.as_mut().poll(cx).map(|()| Some(Err(BodyError::TooSlow)));
            }
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => Poll::Ready(Some(Err(BodyError::TooLarge(self.limit)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
