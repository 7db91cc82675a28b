//! Time and randomness of the platform, in the forms the cores take.

use kontract_raystream::{Entropy, UnixSeconds};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(buffer: &mut [u8]);
}

/// The Web Cryptography API's `getRandomValues`, which fills at most 65,536 bytes a call.
pub(crate) struct WebCrypto;

impl Entropy for WebCrypto {
    fn fill(&mut self, buffer: &mut [u8]) {
        get_random_values(buffer);
    }
}

/// The platform's clock. In workerd it stands still while a request computes, which is all a session's expiry needs.
pub(crate) fn now() -> UnixSeconds {
    // A float holds whole milliseconds exactly for the next 280,000 years.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the clock is after 1970")]
    UnixSeconds((js_sys::Date::now() / 1000.0) as u64)
}
