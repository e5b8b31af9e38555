//! Bodies: pushed by the caller on the way out, pulled by the caller on the way in, each with back-pressure.

pub mod decode;
pub mod recv;
pub mod send;
