//! An endpoint as it stands in the tree, in any spelling.

use swc_common::Span;
use swc_ecma_ast::{ArrowExpr, Class, ExprOrSpread, Function, Pat, TsFnType, TsTypeAnn, TsTypeParamDecl};

use crate::contract::ModuleBinding;
use crate::parse::literal::Place;
use crate::parse::module::DecoratorUse;
use crate::parse::types::Context;
use crate::source::FileId;

/// One endpoint: where it is exposed, what is said about it, and the function that runs.
pub(crate) struct EndpointForm<'g> {
    /// The binding's own name.
    pub(crate) name: String,
    /// How it is reached from outside; `None` when it is not exported.
    pub(crate) binding: Option<ModuleBinding>,
    /// Its name in the module that exposes it; the class there when the method is inherited.
    pub(crate) name_span: Span,
    pub(crate) options: FormOptions<'g>,
    pub(crate) function: FormFunction<'g>,
    /// For methods the classes from the exposing one to the one that implements it.
    pub(crate) classes: Vec<(Place<'g>, &'g Class)>,
}

/// The arguments of `backend`, and where they stand.
#[derive(Clone)]
pub(crate) struct FormOptions<'g> {
    pub(crate) place: Place<'g>,
    pub(crate) arguments: &'g [ExprOrSpread],
}

/// The function of an endpoint.
#[derive(Clone)]
pub(crate) struct FormFunction<'g> {
    pub(crate) place: Place<'g>,
    /// What runs.
    pub(crate) body: Callable<'g>,
    /// What callers see: the only overload, the type of the variable, or the function itself.
    pub(crate) signature: Callable<'g>,
    /// What stands around it and says its type, where that is no function type as it is written.
    pub(crate) context: Option<Context<'g>>,
    /// Above what documentation may stand, the likeliest first.
    pub(crate) documented: Vec<Span>,
}

/// Something with parameters and a result.
#[derive(Clone, Copy)]
pub(crate) enum Callable<'g> {
    Function(&'g Function),
    Arrow(&'g ArrowExpr),
    Type(&'g TsFnType),
}

/// A class of a module.
#[derive(Clone)]
pub(crate) struct ClassSite<'g> {
    pub(crate) place: Place<'g>,
    pub(crate) class: &'g Class,
    /// Its name in the module, behind those of the namespaces around it.
    pub(crate) local: Vec<String>,
    pub(crate) name_span: Span,
    pub(crate) binding: Option<ModuleBinding>,
    /// `declare class`
    pub(crate) declared: bool,
}

/// A class by where it stands.
pub(crate) type ClassKey = (FileId, u32);

impl<'g> Callable<'g> {
    /// The whole function.
    pub(crate) fn span(self) -> Span {
        match self {
            Self::Function(function) => function.span,
            Self::Arrow(arrow) => arrow.span,
            Self::Type(ty) => ty.span,
        }
    }

    pub(crate) fn is_async(self) -> bool {
        match self {
            Self::Function(function) => function.is_async,
            Self::Arrow(arrow) => arrow.is_async,
            Self::Type(_) => false,
        }
    }

    pub(crate) fn result(self) -> Option<&'g TsTypeAnn> {
        match self {
            Self::Function(function) => function.return_type.as_deref(),
            Self::Arrow(arrow) => arrow.return_type.as_deref(),
            Self::Type(ty) => Some(&ty.type_ann),
        }
    }

    pub(crate) fn type_params(self) -> Option<&'g TsTypeParamDecl> {
        match self {
            Self::Function(function) => function.type_params.as_deref(),
            Self::Arrow(arrow) => arrow.type_params.as_deref(),
            Self::Type(ty) => ty.type_params.as_deref(),
        }
    }

    /// The parameters with the spans that decorators stand before; `this` is none.
    pub(crate) fn params(self) -> Vec<(Param<'g>, Span)> {
        use swc_common::Spanned;
        let params: Vec<(Param<'g>, Span)> = match self {
            Self::Function(function) => {
                function.params.iter().map(|param| (Param::Pattern(&param.pat), param.span)).collect()
            }
            Self::Arrow(arrow) => arrow.params.iter().map(|pat| (Param::Pattern(pat), pat.span())).collect(),
            Self::Type(ty) => ty.params.iter().map(|param| (Param::OfType(param), param.span())).collect(),
        };
        params.into_iter().filter(|(param, _)| !param.is_this()).collect()
    }
}

/// A parameter of a function, or of a function type.
#[derive(Clone, Copy)]
pub(crate) enum Param<'g> {
    Pattern(&'g Pat),
    OfType(&'g swc_ecma_ast::TsFnParam),
}

impl Param<'_> {
    fn is_this(self) -> bool {
        let ident = match self {
            Self::Pattern(pat) => pat.as_ident(),
            Self::OfType(swc_ecma_ast::TsFnParam::Ident(ident)) => Some(ident),
            Self::OfType(_) => None,
        };
        ident.is_some_and(|ident| ident.sym == *"this")
    }
}

impl ClassSite<'_> {
    pub(crate) fn key(&self) -> ClassKey {
        (self.place.module.file, self.class.span.lo.0)
    }

    /// The class's name, as a reader knows it.
    pub(crate) fn name(&self) -> String {
        self.local.join(".")
    }

    /// Whether its endpoints are called on it, and not on a class that extends it.
    pub(crate) fn exposes(&self) -> bool {
        self.binding.is_some() && !self.class.is_abstract && !self.declared
    }
}

/// The arguments of a decorator, none for one without a list.
pub(super) fn arguments_of(decorator: &DecoratorUse) -> &[ExprOrSpread] {
    decorator.arguments.as_deref().unwrap_or(&[])
}
