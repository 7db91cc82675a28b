//! Contracts made by hand, for tests of what comes after parsing.

use kontract::contract::{
    CheckedContract, Contract, Doc, Endpoint, EndpointOptions, Field, Literal, Middleware, MiddlewareFilter,
    ModuleBinding, NumberWidth, ObjectType, Param, Perms, RecordKey, Scope, Table, TupleElement, Ty, check,
};
use kontract::source::{FileId, Location, SourceFile, Sources};

/// A contract being made, over files of ten empty lines.
pub(crate) struct Draft {
    pub(crate) sources: Sources,
    pub(crate) contract: Contract,
}

impl Draft {
    pub(crate) fn new(paths: &[&str]) -> Self {
        let files =
            paths.iter().map(|path| SourceFile { path: (*path).to_owned(), text: "\n".repeat(10).into() });
        Self { sources: Sources::new(files), contract: Contract::default() }
    }

    pub(crate) fn file(&self, path: &str) -> FileId {
        self.sources.id(path).expect("the draft was made with this path")
    }

    pub(crate) fn at(&self, path: &str, line: u32) -> Location {
        Location { file: self.file(path), start: line - 1, end: line - 1 }
    }

    /// An anonymous place, for what no test points at.
    pub(crate) fn somewhere(&self) -> Location {
        let (file, _) = self.sources.iter().next().expect("the draft has a file");
        Location { file, start: 0, end: 0 }
    }

    pub(crate) fn object(&mut self, name: &str, fields: Vec<FieldDraft>) -> &mut ObjectType {
        let location = self.somewhere();
        let fields = fields.into_iter().map(|field| field.at(location)).collect();
        let object = ObjectType { name: name.to_owned(), fields, doc: Doc::default(), location };
        self.contract.types.entry(name.to_owned()).insert_entry(object).into_mut()
    }

    pub(crate) fn endpoint(
        &mut self,
        path: &str,
        name: &str,
        params: &[(&str, Ty)],
        returns: Ty,
    ) -> &mut Endpoint {
        let line = u32::try_from(self.contract.endpoints.len() % 9).expect("a digit") + 1;
        let location = self.at(path, line);
        let param = |(name, ty): &(&str, Ty)| {
            let (name, optional) = name.strip_suffix('?').map_or((*name, false), |name| (name, true));
            Param { name: name.to_owned(), ty: ty.clone(), optional, rest: false, location }
        };
        self.contract.endpoints.push(Endpoint {
            name: name.to_owned(),
            binding: ModuleBinding::of_export(location.file, name),
            options: EndpointOptions { ugroup: None, perm: Perms::ALL, egroup: None, max_bytes: None },
            params: params.iter().map(param).collect(),
            returns,
            doc: Doc::default(),
            location,
        });
        self.contract.endpoints.last_mut().expect("just pushed")
    }

    pub(crate) fn middleware(&mut self, path: &str, filter: MiddlewareFilter) {
        let location = self.at(path, 1);
        let index = self.contract.middleware.len();
        self.contract.middleware.push(Middleware { file: location.file, index, filter, location });
    }

    pub(crate) fn table(&mut self, name: &str, entity: &str, key: &str) {
        let location = self.somewhere();
        self.contract.tables.push(Table {
            name: name.to_owned(),
            entity: entity.to_owned(),
            scope: Scope::Shared,
            key: key.to_owned(),
            location,
        });
    }

    /// Gives the table that was added last another scope.
    pub(crate) fn scoped(&mut self, scope: Scope) {
        self.contract.tables.last_mut().expect("a table").scope = scope;
    }

    pub(crate) fn checked(&self) -> CheckedContract {
        let outcome = check(self.contract.clone(), &self.sources);
        let found = outcome.diagnostics;
        outcome.value.unwrap_or_else(|| unreachable!("the draft is not sound: {found:?}"))
    }
}

/// A field being made.
pub(crate) struct FieldDraft(Field);

/// `name` or `name?` of a type.
pub(crate) fn field(name: &str, ty: Ty) -> FieldDraft {
    let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
    let draft = Draft::new(&["nowhere.ts"]);
    FieldDraft(Field {
        name: name.to_owned(),
        ty,
        optional,
        readonly: false,
        primkey: false,
        index: false,
        unique: false,
        perm: None,
        doc: Doc::default(),
        location: draft.somewhere(),
    })
}

impl FieldDraft {
    pub(crate) fn primkey(mut self) -> Self {
        self.0.primkey = true;
        self
    }

    pub(crate) fn unique(mut self) -> Self {
        self.0.unique = true;
        self
    }

    pub(crate) fn perm(mut self, spelling: &str) -> Self {
        self.0.perm = Some(Perms::from_spelling(spelling).expect("a spelling of permissions"));
        self
    }

    pub(crate) fn doc(mut self, text: &str) -> Self {
        self.0.doc.text = text.to_owned();
        self
    }

    fn at(mut self, location: Location) -> Field {
        self.0.location = location;
        self.0
    }
}

pub(crate) fn array(of: Ty) -> Ty {
    Ty::Array(Box::new(of))
}

pub(crate) fn nullable(of: Ty) -> Ty {
    Ty::Nullable(Box::new(of))
}

pub(crate) fn optional(of: Ty) -> Ty {
    Ty::Optional(Box::new(of))
}

pub(crate) fn object(name: &str) -> Ty {
    Ty::Object(name.to_owned())
}

pub(crate) fn set(of: Ty) -> Ty {
    Ty::Set(Box::new(of))
}

pub(crate) fn map(key: Ty, value: Ty) -> Ty {
    Ty::Map(Box::new(key), Box::new(value))
}

pub(crate) fn record(key: RecordKey, value: Ty) -> Ty {
    Ty::Record(key, Box::new(value))
}

pub(crate) fn union(members: &[Ty]) -> Ty {
    Ty::Union(members.to_vec())
}

pub(crate) fn tuple<const N: usize>(elements: [TupleElement; N]) -> Ty {
    Ty::Tuple(elements.to_vec())
}

/// `...T[]`
pub(crate) fn rest(ty: Ty) -> TupleElement {
    TupleElement { name: None, ty, optional: false, rest: true }
}

pub(crate) fn literals(values: &[Literal]) -> Ty {
    Ty::Literals(values.to_vec())
}

pub(crate) fn text(value: &str) -> Literal {
    Literal::String(value.to_owned())
}

pub(crate) fn number(width: NumberWidth) -> Ty {
    Ty::Number(width)
}

pub(crate) fn enumeration(values: &[&str]) -> Ty {
    Ty::Literals(values.iter().map(|value| Literal::String((*value).to_owned())).collect())
}

pub(crate) const FLOAT64: Ty = Ty::Number(NumberWidth::Float64);
pub(crate) const INT32: Ty = Ty::Number(NumberWidth::Int32);
