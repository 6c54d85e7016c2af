//! The disk, mounted.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    AccessFlags, BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::disk::{Disk, Failure, Node};

/// Nothing is cached by the kernel: what the program reads and writes is what the disk has.
const NO_CACHE: Duration = Duration::ZERO;

/// Size claimed by a disk without limit.
const CLAIMED_BYTES: u64 = 64 << 30;

/// A disk that can be mounted and taken hold of.
#[derive(Debug, Clone, Default)]
pub struct Shared(Arc<Mutex<Disk>>);

impl Shared {
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Mounts the disk; it is unmounted when the session is dropped.
pub fn mount(shared: &Shared, at: &Path) -> io::Result<BackgroundSession> {
    std::fs::create_dir_all(at)?;
    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::FSName("powercut".to_owned()),
        MountOption::NoAtime,
        MountOption::RW,
    ];
    fuser::spawn_mount(shared.clone(), at, &config)
}

fn errno(failure: Failure) -> Errno {
    match failure {
        Failure::NotFound => Errno::ENOENT,
        Failure::Exists => Errno::EEXIST,
        Failure::NotADirectory => Errno::ENOTDIR,
        Failure::NotEmpty => Errno::ENOTEMPTY,
        Failure::Full => Errno::ENOSPC,
        Failure::Io => Errno::EIO,
    }
}

fn attributes(disk: &Disk, number: u64) -> Result<FileAttr, Failure> {
    let (size, kind, perm) = match disk.node(number)? {
        Node::File(content) => (content.current.len() as u64, FileType::RegularFile, 0o600),
        Node::Folder { .. } => (0, FileType::Directory, 0o700),
    };
    Ok(FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    })
}

/// Answers with the error, if there is one.
macro_rules! attempt {
    ($reply:ident, $outcome:expr) => {
        match $outcome {
            Ok(value) => value,
            Err(failure) => return $reply.error(errno(failure)),
        }
    };
}

impl Filesystem for Shared {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        let number = attempt!(reply, disk.look_up(parent.0, name));
        let attributes = attempt!(reply, attributes(&disk, number));
        reply.entry(&NO_CACHE, &attributes, Generation(0));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let attributes = attempt!(reply, attributes(&self.disk(), ino.0));
        reply.attr(&NO_CACHE, &attributes);
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<std::time::SystemTime>,
        _: Option<FileHandle>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        if let Some(size) = size {
            attempt!(reply, disk.resize(ino.0, size as usize));
        }
        let attributes = attempt!(reply, attributes(&disk, ino.0));
        reply.attr(&NO_CACHE, &attributes);
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        let mut disk = self.disk();
        let number = attempt!(reply, disk.create(parent.0, name, true));
        let attributes = attempt!(reply, attributes(&disk, number));
        reply.entry(&NO_CACHE, &attributes, Generation(0));
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        let mut disk = self.disk();
        let number = attempt!(reply, disk.create(parent.0, name, false));
        let attributes = attempt!(reply, attributes(&disk, number));
        let flags = FopenFlags::FOPEN_DIRECT_IO;
        reply.created(&NO_CACHE, &attributes, Generation(0), FileHandle(0), flags);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        attempt!(reply, self.disk().remove(parent.0, name));
        reply.ok();
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        attempt!(reply, self.disk().remove(parent.0, name));
        reply.ok();
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        attempt!(reply, self.disk().rename((parent.0, name), (new_parent.0, new_name)));
        reply.ok();
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        attempt!(reply, self.disk().node(ino.0).map(|_| ()));
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let mut disk = self.disk();
        let content = attempt!(reply, disk.content(ino.0));
        let from = (offset as usize).min(content.current.len());
        let to = (from + size as usize).min(content.current.len());
        reply.data(&content.current[from..to]);
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        attempt!(reply, self.disk().write(ino.0, offset as usize, data));
        reply.written(data.len() as u32);
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        attempt!(reply, self.disk().sync(ino.0));
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        attempt!(reply, self.disk().sync(ino.0));
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn access(&self, _: &Request, _: INodeNo, _: AccessFlags, reply: ReplyEmpty) {
        reply.ok();
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let disk = self.disk();
        let entries = attempt!(reply, disk.entries(ino.0));
        for (index, (name, number)) in entries.iter().enumerate().skip(offset as usize) {
            let kind = match disk.node(*number) {
                Ok(Node::Folder { .. }) => FileType::Directory,
                _ => FileType::RegularFile,
            };
            if reply.add(INodeNo(*number), index as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        const BLOCK: u64 = 4096;
        let disk = self.disk();
        let capacity = disk.faults.capacity.unwrap_or(CLAIMED_BYTES);
        let free = capacity.saturating_sub(disk.used()) / BLOCK;
        reply.statfs(capacity / BLOCK, free, free, 1 << 20, 1 << 20, 4096, 255, 4096);
    }
}
