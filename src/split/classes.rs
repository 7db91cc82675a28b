//! Classes as a tsconfig has them that does not mean ECMAScript's: what `experimentalDecorators` and
//! `useDefineForClassFields: false` stand for, written out.
//!
//! ```text
//! class A { @dec m() {} }     →   class A { m() {} static { apply([dec], this.prototype, 'm', …) } }
//! class A { x = 1 }           →   class A { constructor() { this.x = 1 } }
//! ```
//!
//! Runs while types are there, so that what TypeScript makes of a parameter such as `private a` comes before the fields.
//! Follows TypeScript's `__decorate` and `__param`. Metadata of types (`emitDecoratorMetadata`) is not made, so that decorators
//! which may ask for it are refused.

use swc_common::{DUMMY_SP, Mark, Span, SyntaxContext};
use swc_ecma_ast::{
    AssignExpr, AssignOp, AssignTarget, BinaryOp, BlockStmt, CallExpr, Callee, Class, ClassDecl, ClassMember,
    ComputedPropName, Constructor, Decl, Decorator, DefaultDecl, Expr, ExprOrSpread, ExprStmt, FunctionBody,
    Ident, IdentName, MemberExpr, MemberProp, ModuleDecl, ModuleItem, Param, ParamOrTsParamProp, Pat,
    Program, PropName, RestPat, SimpleAssignTarget, StaticBlock, Stmt, Super, ThisExpr,
};
use swc_ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith, noop_visit_mut_type, noop_visit_type};

use super::diagnostics;
use super::reach::Reach;
use crate::diag::Diagnostic;
use crate::emit::build;
pub(super) use crate::parse::Classes;
use crate::parse::ModuleGraph;

/// Reports the first decorator of each module of the server where the tsconfig wants decorators to be told types.
pub(super) fn check(graph: &ModuleGraph, reach: &Reach) -> Vec<Diagnostic> {
    if !graph.classes().metadata {
        return Vec::new();
    }
    let modules = graph.modules().filter(|module| reach.server_modules.contains(&module.file));
    let first = modules.filter_map(|module| {
        let mut decorated = Decorated::default();
        module.items().iter().for_each(|item| item.visit_with(&mut decorated));
        Some(diagnostics::metadata(&module.path, module.location(decorated.first?)))
    });
    first.collect()
}

#[derive(Default)]
struct Decorated {
    first: Option<Span>,
}

impl Visit for Decorated {
    noop_visit_type!();

    fn visit_decorator(&mut self, decorator: &Decorator) {
        self.first.get_or_insert(decorator.span);
    }
}

/// Writes out in the classes of a module what the tsconfig means by them.
pub(super) fn spell_out(body: &mut Vec<ModuleItem>, meaning: Classes) {
    if meaning.legacy_decorators || meaning.assigned_fields {
        body.visit_mut_with(&mut SpellOut { meaning });
    }
}

/// Takes away the fields that are left of parameters such as `private a`, once types are off.
pub(super) fn drop_declared(program: &mut Program, meaning: Classes) {
    if meaning.assigned_fields {
        program.visit_mut_with(&mut DropDeclared);
    }
}

struct DropDeclared;

impl VisitMut for DropDeclared {
    noop_visit_mut_type!();

    fn visit_mut_class(&mut self, class: &mut Class) {
        class.visit_mut_children_with(self);
        class.body.retain(|member| match member {
            ClassMember::ClassProp(property) => property.value.is_some() || !is_plain(&property.key),
            _ => true,
        });
    }
}

struct SpellOut {
    meaning: Classes,
}

impl VisitMut for SpellOut {
    noop_visit_mut_type!();

    fn visit_mut_class(&mut self, class: &mut Class) {
        class.visit_mut_children_with(self);
        if self.meaning.legacy_decorators {
            decorate_members(class);
        }
        if self.meaning.assigned_fields {
            assign_fields(class);
        }
    }

    fn visit_mut_module_items(&mut self, items: &mut Vec<ModuleItem>) {
        items.visit_mut_children_with(self);
        if !self.meaning.legacy_decorators {
            return;
        }
        let mut made = Vec::with_capacity(items.len());
        for mut item in items.drain(..) {
            let decorated = match &mut item {
                ModuleItem::Stmt(Stmt::Decl(Decl::Class(decl))) => decorate_class(decl),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => {
                    export.decl.as_mut_class().and_then(decorate_class)
                }
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => match &mut export.decl {
                    DefaultDecl::Class(class) => {
                        let ident = class
                            .ident
                            .get_or_insert_with(|| Ident::new_private("_default".into(), DUMMY_SP));
                        decorated(ident.clone(), &mut class.class)
                    }
                    DefaultDecl::Fn(_) | DefaultDecl::TsInterfaceDecl(_) => None,
                },
                ModuleItem::Stmt(_) | ModuleItem::ModuleDecl(_) => None,
            };
            made.push(item);
            made.extend(decorated.map(ModuleItem::Stmt));
        }
        *items = made;
    }

    fn visit_mut_stmts(&mut self, statements: &mut Vec<Stmt>) {
        statements.visit_mut_children_with(self);
        if !self.meaning.legacy_decorators {
            return;
        }
        let mut made = Vec::with_capacity(statements.len());
        for mut statement in statements.drain(..) {
            let decorated = match &mut statement {
                Stmt::Decl(Decl::Class(decl)) => decorate_class(decl),
                _ => None,
            };
            made.push(statement);
            made.extend(decorated);
        }
        *statements = made;
    }
}

fn decorate_class(decl: &mut ClassDecl) -> Option<Stmt> {
    decorated(decl.ident.clone(), &mut decl.class)
}

/// `A = [dec].reduceRight((c, f) => f(c) || c, A)`
fn decorated(name: Ident, class: &mut Class) -> Option<Stmt> {
    let mut list = taken(&mut class.decorators);
    for member in &mut class.body {
        let ClassMember::Constructor(constructor) = member else { continue };
        for (place, param) in constructor.params.iter_mut().enumerate() {
            let decorators = match param {
                ParamOrTsParamProp::Param(param) => &mut param.decorators,
                ParamOrTsParamProp::TsParamProp(param) => &mut param.decorators,
            };
            list.extend(of_parameter(decorators, place));
        }
    }
    if list.is_empty() {
        return None;
    }
    let step = or(build::call(build::ident("f"), vec![build::ident("c")]), build::ident("c"));
    let step = named_apart(build::arrow(&["c", "f"], step));
    let list = build::member(build::array(list), "reduceRight");
    let value = build::call(list, vec![step, Expr::Ident(name.clone())]);
    Some(assignment(SimpleAssignTarget::Ident(name.into()), value, class.span))
}

/// Takes the decorators of members, and applies them behind all that the class has, those of instances first.
fn decorate_members(class: &mut Class) {
    let (mut of_instances, mut of_class) = (Vec::new(), Vec::new());
    for member in &mut class.body {
        let (key, is_static, list, is_field) = match member {
            ClassMember::Method(method) => {
                let mut list = taken(&mut method.function.decorators);
                for (place, param) in method.function.params.iter_mut().enumerate() {
                    list.extend(of_parameter(&mut param.decorators, place));
                }
                (&method.key, method.is_static, list, false)
            }
            ClassMember::ClassProp(property) => {
                (&property.key, property.is_static, taken(&mut property.decorators), true)
            }
            _ => continue,
        };
        if list.is_empty() {
            continue;
        }
        let target = || {
            let class = Expr::This(ThisExpr { span: DUMMY_SP });
            if is_static { class } else { build::member(class, "prototype") }
        };
        let descriptor = match is_field {
            true => build::undefined(),
            false => {
                let of = build::member(build::ident("Object"), "getOwnPropertyDescriptor");
                build::call(of, vec![target(), key_value(key)])
            }
        };
        let applied = build::call(apply(), vec![build::array(list), target(), key_value(key), descriptor]);
        let statement = Stmt::Expr(ExprStmt { span: DUMMY_SP, expr: Box::new(applied) });
        if is_static { of_class.push(statement) } else { of_instances.push(statement) }
    }
    of_instances.append(&mut of_class);
    if !of_instances.is_empty() {
        class.body.push(block(of_instances));
    }
}

/// `(l, t, k, d) => (d = l.reduceRight((r, f) => f(t, k, r) || r, d)) && Object.defineProperty(t, k, d)`
fn apply() -> Expr {
    let arguments = |last: &str| vec![build::ident("t"), build::ident("k"), build::ident(last)];
    let step = or(build::call(build::ident("f"), arguments("r")), build::ident("r"));
    let step = build::arrow(&["r", "f"], step);
    let all = build::call(build::member(build::ident("l"), "reduceRight"), vec![step, build::ident("d")]);
    let define = build::call(build::member(build::ident("Object"), "defineProperty"), arguments("d"));
    named_apart(build::arrow(&["l", "t", "k", "d"], build::and(build::assign_ident("d", all), define)))
}

/// A function of ours with a scope of its own, so that nobody takes its variables for others.
fn named_apart(mut function: Expr) -> Expr {
    function.visit_mut_with(&mut NamedApart(SyntaxContext::empty().apply_mark(Mark::new())));
    function
}

struct NamedApart(SyntaxContext);

impl VisitMut for NamedApart {
    noop_visit_mut_type!();

    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        // The others are names of the language.
        if ident.sym.len() == 1 {
            ident.ctxt = self.0;
        }
    }
}

fn taken(decorators: &mut Vec<Decorator>) -> Vec<Expr> {
    decorators.drain(..).map(|decorator| *decorator.expr).collect()
}

/// `((f, i) => (t, k) => f(t, k, i))(dec, 0)`
fn of_parameter(decorators: &mut Vec<Decorator>, place: usize) -> Vec<Expr> {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    let with_place = || {
        let arguments = vec![build::ident("t"), build::ident("k"), build::ident("i")];
        let inner = build::arrow(&["t", "k"], build::call(build::ident("f"), arguments));
        named_apart(build::arrow(&["f", "i"], inner))
    };
    taken(decorators)
        .into_iter()
        .map(|decorator| build::call(with_place(), vec![decorator, build::number(place)]))
        .collect()
}

fn or(left: Expr, right: Expr) -> Expr {
    build::binary(BinaryOp::LogicalOr, left, right)
}

/// Fields as assignments: those of instances in the constructor, those of the class where they stand.
fn assign_fields(class: &mut Class) {
    let derived = class.super_class.is_some();
    let constructor = class.body.iter().find_map(|member| match member {
        ClassMember::Constructor(constructor) => constructor.body.as_ref(),
        _ => None,
    });
    // TypeScript wants the call of `super` among the statements of such a constructor.
    let Some(at) = constructor.map_or(Some(0), |body| first_place(&body.stmts, derived)) else { return };
    let mut assigned = Vec::new();
    let mut body = Vec::with_capacity(class.body.len());
    for member in class.body.drain(..) {
        match member {
            ClassMember::ClassProp(property) if !property.declare && is_plain(&property.key) => {
                let target = |span| MemberExpr {
                    span,
                    obj: Box::new(Expr::This(ThisExpr { span: DUMMY_SP })),
                    prop: key_of(&property.key),
                };
                let Some(value) = property.value else { continue };
                let target = SimpleAssignTarget::Member(target(property.span));
                let statement = assignment(target, *value, property.span);
                if property.is_static { body.push(block(vec![statement])) } else { assigned.push(statement) }
            }
            other => body.push(other),
        }
    }
    class.body = body;
    if assigned.is_empty() {
        return;
    }
    let existing = class.body.iter_mut().find_map(|member| match member {
        ClassMember::Constructor(constructor) => constructor.body.as_mut(),
        _ => None,
    });
    match existing {
        Some(body) => {
            body.stmts.splice(at..at, assigned);
        }
        None => class.body.insert(0, constructor_with(assigned, derived)),
    }
}

/// Behind `super(…)`, or behind directives; `None` where neither is found among the statements.
fn first_place(statements: &[Stmt], derived: bool) -> Option<usize> {
    let is_super = |statement: &Stmt| {
        let call = statement.as_expr().and_then(|statement| statement.expr.as_call());
        call.is_some_and(|call| matches!(call.callee, Callee::Super(_)))
    };
    if derived {
        return statements.iter().position(is_super).map(|at| at + 1);
    }
    let is_directive =
        |statement: &&Stmt| statement.as_expr().is_some_and(|statement| statement.expr.is_lit());
    Some(statements.iter().take_while(is_directive).count())
}

fn constructor_with(assigned: Vec<Stmt>, derived: bool) -> ClassMember {
    let args = Ident::new_no_ctxt("args".into(), DUMMY_SP);
    let (mut params, mut statements) = (Vec::new(), Vec::new());
    if derived {
        let rest = RestPat {
            span: DUMMY_SP,
            dot3_token: DUMMY_SP,
            arg: Box::new(Pat::Ident(args.clone().into())),
            type_ann: None,
        };
        params.push(ParamOrTsParamProp::Param(Param {
            span: DUMMY_SP,
            decorators: Vec::new(),
            pat: Pat::Rest(rest),
        }));
        let call = CallExpr {
            span: DUMMY_SP,
            ctxt: SyntaxContext::empty(),
            callee: Callee::Super(Super { span: DUMMY_SP }),
            args: vec![ExprOrSpread { spread: Some(DUMMY_SP), expr: Box::new(Expr::Ident(args)) }],
            type_args: None,
        };
        statements.push(Stmt::Expr(ExprStmt { span: DUMMY_SP, expr: Box::new(Expr::Call(call)) }));
    }
    statements.extend(assigned);
    ClassMember::Constructor(Constructor {
        span: DUMMY_SP,
        ctxt: SyntaxContext::empty(),
        key: PropName::Ident(IdentName::new("constructor".into(), DUMMY_SP)),
        params,
        body: Some(FunctionBody { span: DUMMY_SP, stmts: statements }),
        accessibility: None,
        is_optional: false,
    })
}

fn assignment(target: SimpleAssignTarget, value: Expr, span: Span) -> Stmt {
    let assign =
        AssignExpr { span, op: AssignOp::Assign, left: AssignTarget::Simple(target), right: Box::new(value) };
    Stmt::Expr(ExprStmt { span, expr: Box::new(Expr::Assign(assign)) })
}

fn block(statements: Vec<Stmt>) -> ClassMember {
    let body = BlockStmt { span: DUMMY_SP, ctxt: SyntaxContext::empty(), stmts: statements };
    ClassMember::StaticBlock(StaticBlock { span: DUMMY_SP, body })
}

/// Whether a key is the same wherever it is evaluated.
fn is_plain(key: &PropName) -> bool {
    match key {
        PropName::Computed(computed) => computed.expr.is_lit(),
        PropName::Ident(_) | PropName::Str(_) | PropName::Num(_) | PropName::BigInt(_) => true,
    }
}

fn key_of(key: &PropName) -> MemberProp {
    match key {
        PropName::Ident(name) => MemberProp::Ident(name.clone()),
        PropName::Computed(computed) => MemberProp::Computed(computed.clone()),
        PropName::Str(_) | PropName::Num(_) | PropName::BigInt(_) => {
            MemberProp::Computed(ComputedPropName { span: DUMMY_SP, expr: Box::new(key_value(key)) })
        }
    }
}

/// A key as a value.
fn key_value(key: &PropName) -> Expr {
    match key {
        PropName::Ident(name) => build::string(&name.sym),
        PropName::Str(text) => Expr::Lit(text.clone().into()),
        PropName::Num(number) => Expr::Lit(number.clone().into()),
        PropName::BigInt(digits) => Expr::Lit(digits.clone().into()),
        PropName::Computed(computed) => (*computed.expr).clone(),
    }
}
