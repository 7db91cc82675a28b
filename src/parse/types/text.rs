//! Types as text: TypeScript's notation for messages, and a normal form that takes declared types apart.
//!
//! ```text
//! Pick<Entry, 'id'>   →   { id: string }
//! interface Tree { left?: Tree }   →   { left?: ^0 }
//! ```

use std::rc::Rc;

use super::evaluator::Evaluator;
use super::model::{Element, ObjectId, Signature, Source, Type, TypeId};
use super::template::literal_text;
use crate::contract::Literal;
use crate::contract::signature::quoted;

/// How a type is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Declared types by their names.
    Short,
    /// Everything that the project declares taken apart, unions in the order of their texts.
    Whole,
}

/// A type's text for a message, which nobody reads beyond a line.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl<'g> Evaluator<'g> {
    /// A type as TypeScript would show it.
    pub(super) fn text_of(&mut self, ty: TypeId) -> String {
        self.written(ty, Style::Short, &mut Vec::new())
    }

    /// A type with everything that the project declares taken apart; `^n` is the n-th object or union type around it, from 0.
    pub(super) fn normal_form(&mut self, ty: TypeId) -> String {
        self.written(ty, Style::Whole, &mut Vec::new())
    }

    fn written(&mut self, ty: TypeId, style: Style, stack: &mut Vec<TypeId>) -> String {
        let ty = self.forced(ty);
        if stack.len() > TEXT_DEPTH_MAX {
            return "…".to_owned();
        }
        match self.get(ty).clone() {
            Type::Any => "any".to_owned(),
            Type::Unknown => "unknown".to_owned(),
            Type::Never => "never".to_owned(),
            Type::Void => "void".to_owned(),
            Type::Undefined => "undefined".to_owned(),
            Type::Null => "null".to_owned(),
            Type::String => "string".to_owned(),
            Type::Number(_) => "number".to_owned(),
            Type::Boolean => "boolean".to_owned(),
            Type::BigInt(_) => "bigint".to_owned(),
            Type::Symbol => "symbol".to_owned(),
            Type::NonPrimitive => "object".to_owned(),
            Type::Literal { value, .. } => match &value {
                Literal::String(text) => quoted(text),
                Literal::BigInt(digits) => format!("{digits}n"),
                Literal::Number(_) | Literal::Boolean(_) => literal_text(&value),
            },
            Type::Member { of, place, .. } => {
                let name = self.symbol_of(of).name().to_owned();
                let member = self.enum_members(of).into_iter().nth(place as usize);
                member.map_or(name.clone(), |(member, _)| format!("{name}.{member}"))
            }
            Type::Template { texts, types } => self.template_text(&texts, &types, style, stack),
            Type::Mapping(case, inner) => {
                format!("{}<{}>", case.name(), self.written(inner, style, stack))
            }
            Type::Union(_) => {
                if let Some(place) = stack.iter().position(|open| *open == ty) {
                    return format!("^{place}");
                }
                stack.push(ty);
                let members = self.members_of_union(ty);
                let mut texts: Vec<String> = members
                    .into_iter()
                    .map(|member| {
                        let text = self.written(member, style, stack);
                        if text.contains("=>") && !text.starts_with('{') { format!("({text})") } else { text }
                    })
                    .collect();
                if style == Style::Whole {
                    texts.sort();
                    texts.dedup();
                }
                stack.pop();
                texts.join(" | ")
            }
            Type::Intersection(parts) => self.intersection_text(ty, &parts, style, stack),
            Type::Array { element, readonly } => {
                let name = if readonly { "ReadonlyArray" } else { "Array" };
                format!("{name}<{}>", self.written(element, style, stack))
            }
            Type::Tuple { elements, readonly } => self.tuple_text(&elements, readonly, style, stack),
            Type::Object(object) => self.object_text(ty, object, style, stack),
            Type::Param(param) => self.params[param.place()].name.to_string(),
            Type::Recur(alias) => {
                let symbol = self.aliases[alias.place()].alias.symbol;
                self.symbol_of(symbol).name().to_owned()
            }
            Type::Deferred(_) => "deferred".to_owned(),
            Type::Opaque(_) => "dynamic".to_owned(),
            Type::Excess => "excess".to_owned(),
            Type::Error => "error".to_owned(),
        }
    }

    fn template_text(
        &mut self,
        texts: &[Rc<str>],
        types: &[TypeId],
        style: Style,
        stack: &mut Vec<TypeId>,
    ) -> String {
        let mut text = format!("`{}", texts[0]);
        for (ty, after) in types.iter().zip(&texts[1..]) {
            text.push_str(&format!("${{{}}}{after}", self.written(*ty, style, stack)));
        }
        text + "`"
    }

    fn tuple_text(
        &mut self,
        elements: &[Element],
        readonly: bool,
        style: Style,
        stack: &mut Vec<TypeId>,
    ) -> String {
        let texts: Vec<String> = elements
            .iter()
            .map(|element| {
                let ty = if element.optional { self.without_undefined(element.ty) } else { element.ty };
                let text = self.written(ty, style, stack);
                match (element.rest, element.optional) {
                    (true, _) => format!("...{text}[]"),
                    (false, true) => format!("{text}?"),
                    (false, false) => text,
                }
            })
            .collect();
        format!("{}[{}]", if readonly { "readonly " } else { "" }, texts.join(", "))
    }

    fn intersection_text(
        &mut self,
        ty: TypeId,
        parts: &[TypeId],
        style: Style,
        stack: &mut Vec<TypeId>,
    ) -> String {
        if style == Style::Short {
            let texts: Vec<String> = parts.iter().map(|part| self.written(*part, style, stack)).collect();
            return texts.join(" & ");
        }
        let mut texts: Vec<String> = Vec::new();
        for part in parts {
            if !matches!(self.get(*part), Type::Object(_)) {
                texts.push(self.written(*part, style, stack));
            }
        }
        texts.sort();
        if parts.iter().any(|part| matches!(self.get(*part), Type::Object(_))) {
            match stack.iter().position(|open| *open == ty) {
                Some(place) => texts.push(format!("^{place}")),
                None => {
                    stack.push(ty);
                    texts.push(self.members_text(ty, style, stack));
                    stack.pop();
                }
            }
        }
        texts.join(" & ")
    }

    fn object_text(&mut self, ty: TypeId, object: ObjectId, style: Style, stack: &mut Vec<TypeId>) -> String {
        if let Some((name, args)) = self.library_name(ty)
            && (style == Style::Short || !name.contains('.'))
        {
            return self.library_text(&name, &args, style, stack);
        }
        if style == Style::Short {
            let named = match (&self.objects[object.place()].source, self.objects[object.place()].alias) {
                (Source::Declared { symbol, args }, _) => Some((*symbol, Rc::clone(args))),
                (Source::Value(symbol), _) => {
                    return format!("typeof {}", self.symbol_of(*symbol).name());
                }
                (_, Some(alias)) => {
                    let alias = &self.aliases[alias.place()].alias;
                    Some((alias.symbol, Rc::clone(&alias.args)))
                }
                _ => None,
            };
            if let Some((symbol, args)) = named {
                let name = self.symbol_of(symbol).name().to_owned();
                return self.library_text(&name, &args, style, stack);
            }
        }
        if let Some(place) = stack.iter().position(|open| *open == ty) {
            return format!("^{place}");
        }
        stack.push(ty);
        let text = self.members_text(ty, style, stack);
        stack.pop();
        text
    }

    fn library_text(&mut self, name: &str, args: &[TypeId], style: Style, stack: &mut Vec<TypeId>) -> String {
        let shown = match name {
            "Uint8Array" => 0,
            "Iterable"
            | "IterableIterator"
            | "AsyncIterable"
            | "AsyncIterableIterator"
            | "Iterator"
            | "AsyncIterator" => 1,
            _ => args.len(),
        };
        let args: Vec<String> = args.iter().take(shown).map(|arg| self.written(*arg, style, stack)).collect();
        if args.is_empty() { name.to_owned() } else { format!("{name}<{}>", args.join(", ")) }
    }

    fn members_text(&mut self, ty: TypeId, style: Style, stack: &mut Vec<TypeId>) -> String {
        let Some(members) = self.shape(ty) else { return "{}".to_owned() };
        if let ([call], [], true, true) =
            (&*members.calls, &*members.constructs, members.props.is_empty(), members.indexes.is_empty())
        {
            return self.signature_text(call, style, stack);
        }
        let mut parts = Vec::new();
        for call in &members.calls {
            parts.push(self.signature_text(call, style, stack));
        }
        for construct in &members.constructs {
            parts.push(format!("new {}", self.signature_text(construct, style, stack)));
        }
        for index in &members.indexes {
            let (key, value) = (self.written(index.key, style, stack), self.force(index.ty));
            let value = self.written(value, style, stack);
            parts.push(format!("{}[{key}]: {value}", if index.readonly { "readonly " } else { "" }));
        }
        let mut props = members.props.clone();
        if style == Style::Whole {
            props.sort_by(|a, b| a.name.cmp(&b.name));
        }
        for prop in &props {
            let value = self.force(prop.ty);
            let value = if prop.optional { self.without_undefined(value) } else { value };
            let value = self.written(value, style, stack);
            let readonly = if prop.readonly { "readonly " } else { "" };
            let mark = if prop.optional { "?" } else { "" };
            parts.push(format!("{readonly}{}{mark}: {value}", prop.name));
        }
        if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join("; ")) }
    }

    fn signature_text(&mut self, signature: &Signature, style: Style, stack: &mut Vec<TypeId>) -> String {
        let mut params = Vec::new();
        for param in &signature.params {
            let ty = self.force(param.ty);
            let ty = if param.optional { self.without_undefined(ty) } else { ty };
            let text = self.written(ty, style, stack);
            params.push(match (param.rest, param.optional) {
                (true, _) => format!("...{text}"),
                (false, true) => format!("{text}?"),
                (false, false) => text,
            });
        }
        let returns = self.force(signature.returns);
        format!("({}) => {}", params.join(", "), self.written(returns, style, stack))
    }
}

const TEXT_DEPTH_MAX: usize = 12;
/// Characters of a type in a message.
const MESSAGE_CHARS_MAX: usize = 80;
