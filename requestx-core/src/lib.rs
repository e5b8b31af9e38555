//! requestx
