//! Calls of pages that the Worker draws.

use crate::channel::{Call, Gateway};
use crate::platform::{WebCrypto, now};
use kontract_auth::Identity;
use kontract_wire::error::WireError;
use kontract_wire::route::RouteId;
use std::sync::Arc;
use wasm_bindgen::prelude::wasm_bindgen;

/// Who a page is drawn for.
#[wasm_bindgen]
pub struct Visitor {
    identity: Identity,
}

/// A call that may run, or why not.
#[wasm_bindgen]
pub struct PageCall {
    call: Option<Call>,
    refusal: Option<WireError>,
}

#[wasm_bindgen]
impl Gateway {
    /// Whom the refresh token names, or somebody anonymous.
    pub fn visitor(&self, refresh_token: Option<String>) -> Visitor {
        Visitor { identity: self.gateway.visitor(refresh_token.as_deref(), now(), &mut WebCrypto) }
    }

    /// A call on behalf of a visitor.
    #[wasm_bindgen(js_name = callOfPage)]
    pub fn call_of_page(&self, visitor: &Visitor, route: u32, arguments: Vec<u8>) -> PageCall {
        let route = RouteId::from_u32(route);
        match self.gateway.call_of_page(&visitor.identity, route, &arguments, now(), &mut WebCrypto) {
            Ok(call) => {
                let call = Call { call, tables: Arc::clone(&self.tables) };
                PageCall { call: Some(call), refusal: None }
            }
            Err(refusal) => PageCall { call: None, refusal: Some(refusal) },
        }
    }
}

#[wasm_bindgen]
impl Visitor {
    /// The owner of what the visitor stores.
    #[wasm_bindgen(getter)]
    pub fn owner(&self) -> String {
        self.identity.owner.clone()
    }
}

#[wasm_bindgen]
impl PageCall {
    /// The call, if it may run; `undefined` when called again.
    #[wasm_bindgen(js_name = takeCall)]
    pub fn take_call(&mut self) -> Option<Call> {
        self.call.take()
    }

    /// Status of the refusal, 0 where there is none.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> u16 {
        self.refusal.as_ref().map_or(0, |refusal| refusal.status)
    }

    /// Code of the refusal.
    #[wasm_bindgen(getter)]
    pub fn code(&self) -> String {
        self.refusal.as_ref().map(|refusal| refusal.code.clone()).unwrap_or_default()
    }

    /// What the refusal says.
    #[wasm_bindgen(getter)]
    pub fn message(&self) -> String {
        self.refusal.as_ref().map(|refusal| refusal.message.clone()).unwrap_or_default()
    }
}
