//! Copies extended attributes, including the POSIX ACL, from one file to another. It uses only descriptors.

use super::error::{Category, Error, Result};
use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::{Errno, retry_on_intr};
use std::ffi::CStr;
use std::os::fd::OwnedFd;

/// The ACL that decides who may read and write.
const ACL: &CStr = c"system.posix_acl_access";
/// Hashes and signatures of the content: wrong for any other content.
const CONTENT_HASHES: [&CStr; 2] = [c"security.ima", c"security.evm"];
/// The longest value or list of names, see xattr(7).
const MAX_LEN: usize = 64 * 1024;

/// Returns the ACL of an open file, as the kernel encodes it. `None` means that it has only its mode.
pub fn acl(file: &OwnedFd) -> rustix::io::Result<Option<Vec<u8>>> {
    let mut acl = Vec::with_capacity(MAX_LEN);
    match retry_on_intr(|| fgetxattr(file, ACL, spare_capacity(&mut acl))) {
        Ok(_) => Ok(Some(acl)),
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Removes the ACL that a new file got from its directory's default ACL.
pub fn remove_inherited_acl(file: &OwnedFd) -> rustix::io::Result<()> {
    if acl(file)?.is_some() { retry_on_intr(|| fremovexattr(file, ACL)) } else { Ok(()) }
}

/// Sets this ACL and the other attributes of `from` on `to`. Leaves out what may not be set or does not fit. If the ACL is left
/// out, `to` grants nobody more rights than `from`.
///
/// # Errors
/// [`Category::Io`] if they cannot be read.
pub fn copy(from: &OwnedFd, to: &OwnedFd, acl: Option<&[u8]>) -> Result<()> {
    let set = |name: &CStr, value: &[u8]| {
        let _ = retry_on_intr(|| fsetxattr(to, name, value, XattrFlags::empty()));
    };
    if let Some(acl) = acl {
        set(ACL, acl);
    }
    let (mut names, mut value) = (Vec::with_capacity(MAX_LEN), Vec::with_capacity(MAX_LEN));
    if !was_read(retry_on_intr(|| flistxattr(from, spare_capacity(&mut names))))? {
        return Ok(());
    }
    let names = names.split_inclusive(|byte| *byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok());
    for name in names.filter(|name| *name != ACL && !CONTENT_HASHES.contains(name)) {
        value.clear();
        if was_read(retry_on_intr(|| fgetxattr(from, name, spare_capacity(&mut value))))? {
            set(name, &value);
        }
    }
    Ok(())
}

/// Returns `false` if there is no such attribute, if we may not see it, or if it is too long. A failing disk is an error, so that
/// nothing gets lost.
fn was_read(result: rustix::io::Result<usize>) -> Result<bool> {
    match result {
        Err(errno) if Category::from(errno) == Category::Io => Err(Error::os(errno, "cannot read its attributes")),
        result => Ok(result.is_ok()),
    }
}
