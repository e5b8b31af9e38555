//! Who is at the other end of a TLS connection, as C sees it.

use std::sync::Arc;

use super::types::*;
use super::{as_pointer, boundary, freed, guard_or, raw, tables};
use crate::error::{Error, Kind};
use crate::process;
use crate::tls::Peer;

/// Gives in `*out` what the TLS handshake of a connection agreed upon; `number` is `peer` of a response's event.
/// It is known for as long as the connection is open, and then until 256 others have been opened.
/// RQX_OK, RQX_E_STATE (no longer known, or none: 0), RQX_E_NULL, RQX_E_NO_RESOURCES. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_peer_new(number: u32, out: *mut *mut rqx_peer, err: *mut *mut rqx_error) -> i32 {
    boundary(err, || {
        let out = raw::Out::new("out", out)?;
        let Some(peer) = process::current().peers.get(number) else {
            return Err(Error::caller(Kind::State, format!("no TLS connection {number} is known")));
        };
        out.set(as_pointer(tables().peers.insert(peer)?));
        Ok(RQX_OK)
    })
}

/// Fills `*view`, whose struct_size the caller has set; its slices live as long as the peer.
/// RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_peer_read(peer: *const rqx_peer, view: *mut rqx_peer_view) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let peer = get(peer)?;
        let seen = rqx_peer_view {
            struct_size: size_of::<rqx_peer_view>(),
            version: rqx_slice::of(peer.version.as_bytes()),
            cipher: rqx_slice::of(peer.cipher.as_bytes()),
            protocol: rqx_slice::of(peer.protocol.as_bytes()),
            n_certificates: peer.chain.len() as u64,
            cipher_bits: peer.bits.into(),
            resumed: peer.resumed.into(),
        };
        raw::fill_sized("view", view, seen).map(|()| RQX_OK)
    })
}

/// One certificate of the chain as the server sent it, in DER; 0 is the server's own. It lives as long as the peer.
/// RQX_OK, RQX_E_INVALID_ARGUMENT (there are not so many), RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_peer_certificate(peer: *const rqx_peer, index: usize, der: *mut rqx_slice) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let (peer, der) = (get(peer)?, raw::Out::new("der", der)?);
        let found = peer.chain.get(index).ok_or_else(|| {
            let why = format!("there are {} certificates, and none is number {index}", peer.chain.len());
            Error::caller(Kind::InvalidArgument, why)
        })?;
        der.set(rqx_slice::of(found));
        Ok(RQX_OK)
    })
}

/// Frees it. NULL is allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_peer_free(peer: *mut rqx_peer) {
    guard_or((), || {
        freed(tables().peers.remove(peer as usize));
        Ok(())
    });
}

fn get(peer: *const rqx_peer) -> Result<Arc<Peer>, Error> {
    tables().peers.with(peer as usize, Arc::clone)
}
