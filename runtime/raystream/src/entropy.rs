//! Randomness, injected: the crate itself has no source of it, so it builds for every target and tests are repeatable.

/// A source of cryptographically secure random bytes.
///
/// Keys come from it. Outside of tests it has to be the platform's own generator (`crypto.getRandomValues`, `getrandom`).
pub trait Entropy {
    /// Overwrites all of `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Entropy for F {
    fn fill(&mut self, bytes: &mut [u8]) {
        self(bytes);
    }
}

/// An array of random bytes.
pub(crate) fn random<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
