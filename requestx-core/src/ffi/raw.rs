//! Every unsafe block of the crate.
//!
//! The functions here are safe to call from Rust because they lean on what the header makes C callers promise:
//! a pointer that is passed in is NULL or valid for what its function says of it, for as long as the call lasts.
//! NULL and misaligned pointers are refused; handles are no pointers and are never followed (`handle.rs`).

#![allow(unsafe_code)]

use std::ptr::NonNull;
use std::slice;

use crate::error::{Error, Kind};

fn refuse(name: &str, pointer: usize, align: usize) -> Result<(), Error> {
    if pointer == 0 {
        return Err(Error::caller(Kind::Null, format!("{name} is NULL")));
    }
    if pointer % align != 0 {
        return Err(Error::caller(Kind::InvalidArgument, format!("{name} is misaligned")));
    }
    Ok(())
}

/// `len` bytes at `pointer`; NULL only with a length of 0.
pub fn bytes<'a>(name: &str, pointer: *const u8, len: usize) -> Result<&'a [u8], Error> {
    array(name, pointer, len)
}

/// `len` values at `pointer`; NULL only with a length of 0.
pub fn array<'a, T: Copy>(name: &str, pointer: *const T, len: usize) -> Result<&'a [T], Error> {
    if len == 0 {
        return Ok(&[]);
    }
    refuse(name, pointer as usize, align_of::<T>())?;
    if len > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Error::caller(Kind::InvalidArgument, format!("{name} has a length of {len}")));
    }
    // SAFETY: not NULL, aligned, and of a possible size; the caller promises `len` readable values for this call.
    Ok(unsafe { slice::from_raw_parts(pointer, len) })
}

/// The bytes of one of the ABI's structs.
pub fn bytes_of<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: T is a repr(C) struct of integers without padding, so all its bytes are initialised, as in `fill_sized`.
    unsafe { slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// A place of the caller's to write a result to.
#[derive(Debug, Clone, Copy)]
pub struct Out<T>(NonNull<T>);

impl<T: Copy> Out<T> {
    pub fn new(name: &str, pointer: *mut T) -> Result<Out<T>, Error> {
        refuse(name, pointer as usize, align_of::<T>())?;
        NonNull::new(pointer).map(Out).ok_or_else(|| Error::caller(Kind::Null, format!("{name} is NULL")))
    }

    pub fn set(self, value: T) {
        // SAFETY: not NULL and aligned; the caller promises one writable T for this call.
        unsafe { self.0.as_ptr().write(value) }
    }
}

/// Copies `from` to the caller's buffer: as much as both hold.
pub fn fill(name: &str, pointer: *mut u8, cap: usize, from: &[u8]) -> Result<usize, Error> {
    let n = from.len().min(cap);
    if n > 0 {
        refuse(name, pointer as usize, 1)?;
        // SAFETY: not NULL; the caller promises `cap >= n` writable bytes, which cannot overlap our own.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), pointer, n) }
    }
    Ok(n)
}

/// Writes as much of `value` as the caller's struct has, as its own `struct_size`, its first field, says.
pub fn fill_sized<T: Copy>(name: &str, pointer: *mut T, value: T) -> Result<(), Error> {
    refuse(name, pointer as usize, align_of::<T>())?;
    // SAFETY: not NULL and aligned; every sized struct begins with a `size_t` that the caller has set.
    let size = unsafe { pointer.cast::<usize>().read() };
    let head = size_of::<usize>();
    if size < head {
        return Err(Error::caller(Kind::InvalidArgument, format!("{name}->struct_size is {size}")));
    }
    let n = size.min(size_of::<T>()) - head;
    // SAFETY: the caller promises `struct_size` writable bytes; `n` behind the first field stays within both structs.
    // T is a repr(C) struct of integers and pointers without padding, so all its bytes are initialised.
    unsafe {
        let from = (&raw const value).cast::<u8>().add(head);
        std::ptr::copy_nonoverlapping(from, pointer.cast::<u8>().add(head), n);
    }
    Ok(())
}

/// Has `child` called in every forked child before fork returns there.
#[cfg(unix)]
pub fn at_fork_in_child(child: extern "C" fn()) -> bool {
    // SAFETY: the function is async-signal-safe (it increments an atomic) and the library is never unloaded (nodelete).
    unsafe { libc::pthread_atfork(None, None, Some(child)) == 0 }
}
