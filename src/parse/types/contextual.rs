//! What stands around a function and says its type: a variable's annotation, `satisfies`, the type arguments of `backend`.
//!
//! ```text
//! const find: Handler = backend({ … }, async (id) => …)   →   the parameters and the result of `Handler`
//! ```

use std::rc::Rc;

use swc_ecma_ast::TsType;

use super::model::{Signature, Type, TypeId};
use super::{Scope, TypeResolver};
use crate::contract::{Param, Ty};
use crate::parse::extract::upper_camel;
use crate::source::Location;

/// What says the type of a function.
#[derive(Clone, Copy)]
pub(crate) enum Context<'g> {
    /// A type of functions.
    Type(&'g TsType),
    /// The types of the parameters, as a tuple, and of the result.
    Arguments(&'g TsType, &'g TsType),
}

/// A parameter before its type is lowered.
struct Given {
    name: String,
    ty: TypeId,
    optional: bool,
    rest: bool,
}

impl<'g> TypeResolver<'g> {
    /// The parameters that the context says; `None` where it says none, and `Some(None)` after a diagnostic.
    pub(crate) fn expected_params(
        &mut self,
        context: Context<'g>,
        scope: &Scope<'g>,
        place: &str,
        at: Location,
    ) -> Option<Option<Vec<Param>>> {
        let signature = self.expected(context, scope)?;
        let mut given = Vec::new();
        for param in &signature.params {
            let ty = self.types.force(param.ty);
            let name = param.name.to_string();
            match (param.rest, self.types.get(ty).clone()) {
                (true, Type::Tuple { elements, .. }) => {
                    for element in elements.iter() {
                        let unnamed = || format!("arg{}", given.len());
                        let name = element.label.as_ref().map_or_else(unnamed, |label| label.to_string());
                        let ty = if element.rest { self.types.array(element.ty) } else { element.ty };
                        given.push(Given { name, ty, optional: element.optional, rest: element.rest });
                    }
                }
                (rest, _) => given.push(Given { name, ty, optional: param.optional, rest }),
            }
        }
        let params: Vec<Option<Param>> =
            given.into_iter().map(|given| self.expected_param(given, place, at)).collect();
        Some(params.into_iter().collect())
    }

    fn expected_param(&mut self, given: Given, place: &str, at: Location) -> Option<Param> {
        let Given { name, ty, optional, rest } = given;
        let place = place.to_owned() + &upper_camel(&name);
        let (ty, admits_undefined) = match self.value(ty, &place, at)? {
            Ty::Optional(inner) => (*inner, true),
            other => (other, false),
        };
        Some(Param { name, ty, optional: (optional || admits_undefined) && !rest, rest, location: at })
    }

    /// The result that the context says, with `Promise` taken off.
    pub(crate) fn expected_result(
        &mut self,
        context: Context<'g>,
        scope: &Scope<'g>,
        place: &str,
        at: Location,
    ) -> Option<Option<Ty>> {
        let signature = self.expected(context, scope)?;
        let ty = self.types.force(signature.returns);
        Some(self.result(ty, place, at))
    }

    fn expected(&mut self, context: Context<'g>, scope: &Scope<'g>) -> Option<Rc<Signature>> {
        let env = self.env(scope)?;
        self.types.begin();
        match context {
            Context::Type(ty) => {
                let ty = self.types.annotation(ty, &env);
                let members = self.types.shape(ty)?;
                match members.calls.as_slice() {
                    [only] if only.type_params.is_empty() => Some(Rc::clone(only)),
                    _ => None,
                }
            }
            Context::Arguments(params, result) => {
                let (params, result) =
                    (self.types.annotation(params, &env), self.types.annotation(result, &env));
                if !matches!(self.types.get(params), Type::Tuple { .. }) {
                    return None;
                }
                let (ty, returns) = (self.types.known(params), self.types.known(result));
                let rest =
                    super::model::Parameter { name: Rc::from("args"), ty, optional: false, rest: true };
                Some(Rc::new(Signature {
                    type_params: Vec::new(),
                    params: vec![rest],
                    returns,
                    guard: None,
                    is_method: false,
                }))
            }
        }
    }
}
