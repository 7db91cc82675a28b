//! A JSON file as a module: what imports of it mean to TypeScript.
//!
//! ```text
//! { "a": 1 }   →   export default { "a": 1 }; export let a = 1;
//! ```
//!
//! Only types are taken from it, so that positions in it mean nothing.

use serde_json::Value;
use swc_ecma_ast::Ident;

/// Text that is not JSON gives what does not parse.
pub(super) fn module_text(json: &str) -> String {
    let mut text = format!("export default {json};\n");
    let parsed: Option<Value> = serde_json::from_str(json).ok();
    for (name, value) in parsed.iter().filter_map(Value::as_object).flatten() {
        if Ident::verify_symbol(name).is_ok() {
            text.push_str(&format!("export let {name} = {value};\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::module_text;

    #[test]
    fn names_that_can_be_imported_are_exported() {
        let text = module_text("{ \"a\": [1], \"b-c\": 1, \"default\": 2 }");
        assert!(text.ends_with(";\nexport let a = [1];\n"), "{text}");
        assert_eq!(module_text("[1]"), "export default [1];\n");
    }
}
