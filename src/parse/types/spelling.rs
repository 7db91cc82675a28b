//! What declarations say of a type beyond what travels: enums, brands, and which arrays may only be read.
//!
//! ```text
//! Color of `enum Color { Red = 'red' }`   →   Literals ["red"], spelled `Color`
//! string & { __brand: 'id' }              →   String, spelled `string & { __brand: "id" }`
//! ```

use super::TypeResolver;
use super::flat::brand_text;
use super::model::{Declared, SymbolId, Type, TypeId};
use crate::contract::{EnumType, Literal, Spelling, Ty};

impl<'g> TypeResolver<'g> {
    /// An array, tuple, map or set that may only be read, or any other.
    pub(super) fn read_only(ty: Ty, readonly: bool) -> Ty {
        if readonly { Ty::Spelled(Box::new(ty), Spelling::Readonly) } else { ty }
    }

    /// What is left of an intersection when its primitive travels.
    pub(super) fn branded(&mut self, parts: &[TypeId], primitive: TypeId, ty: Ty) -> Ty {
        let brands: Vec<TypeId> = parts.iter().copied().filter(|part| *part != primitive).collect();
        match brand_text(&mut self.types, &brands) {
            Some(text) => Ty::Spelled(Box::new(ty), Spelling::Brand(text)),
            None => ty,
        }
    }

    /// Values that are members of one enum: by the places of these. TypeScript takes enums of one name and the same members
    /// for each other, but for `const` ones.
    pub(super) fn enumerated(&mut self, ty: Ty, of: SymbolId, places: &[u32]) -> Ty {
        let members = self.types.enum_members(of);
        let Some(path) = self.enum_path(of, &members) else { return ty };
        let mut used: Vec<String> = Vec::new();
        if places.len() < members.len() {
            used.extend(places.iter().filter_map(|place| Some(members.get(*place as usize)?.0.clone())));
            if !used.iter().all(|name| swc_ecma_ast::Ident::verify_symbol(name).is_ok()) {
                return ty;
            }
        }
        Ty::Spelled(Box::new(ty), Spelling::Enum(path, used))
    }

    /// The one enum that all of these members are of, and their places.
    pub(super) fn enum_of(&self, members: &[TypeId]) -> Option<(SymbolId, Vec<u32>)> {
        let mut found: Option<(SymbolId, Vec<u32>)> = None;
        for member in members {
            let Type::Member { of, place, .. } = self.types.get(*member) else { return None };
            match &mut found {
                Some((known, places)) if known == of => places.push(*place),
                Some(_) => return None,
                None => found = Some((*of, vec![*place])),
            }
        }
        found
    }

    /// Where a file of enums has this one: `Color`, or `Color2.Color` for the second of its name.
    fn enum_path(&mut self, of: SymbolId, members: &[(String, Option<Literal>)]) -> Option<String> {
        if let Some(known) = self.enum_paths.get(&of) {
            return known.clone();
        }
        let is_const = self.types.declarations(of).iter().any(|declaration| match declaration.node {
            Declared::Enum(declared) => declared.is_const,
            _ => false,
        });
        let members: Option<Vec<(String, Literal)>> =
            members.iter().map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
        let path = members.filter(|members| !members.is_empty() && !is_const).map(|members| {
            let name = self.types.symbol_of(of).name().to_owned();
            let numbered = (2..).map(|number| format!("{name}{number}"));
            let mut keys = std::iter::once(name.clone()).chain(numbered);
            let key = keys.find(|key| !self.enums.contains_key(key)).unwrap_or_else(|| name.clone());
            let path = if key == name { key.clone() } else { format!("{key}.{name}") };
            self.named.naming.by_order |= key != name;
            self.named.naming.enums.insert(key.clone(), self.declared_at(of));
            self.enums.insert(key, EnumType { name, members });
            path
        });
        self.enum_paths.insert(of, path.clone());
        path
    }
}
