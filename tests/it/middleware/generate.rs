//! Makes middlewares out of a seed: every way to call `next`, in every place, with names that clash.

/// Endpoints of every program: their names, which prefixes select by, and groups.
pub(super) const ENDPOINTS: &[(&str, Option<&str>)] =
    &[("open", None), ("read", Some("book")), ("adminRead", Some("book")), ("adminOpen", None)];

/// A module of middlewares, and the one that it imports some from. Both are JavaScript as well as TypeScript.
pub(super) struct Program {
    pub(super) middleware: String,
    pub(super) other: String,
}

impl Program {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d);
        let mut elements = String::new();
        let mut top = String::new();
        let mut other = String::from("export const unused = 0;\n");
        for index in 0..random.below(5) + 1 {
            let function = Function::make(&mut random, index);
            let value = match random.below(8) {
                0 => {
                    top.push_str(&format!("const named{index} = {function};\n"));
                    format!("named{index}")
                }
                1 => {
                    top.push_str(&declaration(&function, index));
                    format!("declared{index}")
                }
                2 => {
                    other.push_str(&format!("export const foreign{index} = {function};\n"));
                    top.insert_str(0, &format!("import {{ foreign{index} }} from './other';\n"));
                    format!("foreign{index}")
                }
                3 => {
                    top.push_str(&format!("const held{index} = {{ run: {function} }};\n"));
                    format!("held{index}.run")
                }
                _ => function,
            };
            let filter = match random.below(4) {
                0 => Some("{ egroup: 'book' }"),
                1 => Some("{ prefix: 'admin' }"),
                _ => None,
            };
            match filter {
                Some(filter) => elements.push_str(&format!("  mwfilter({filter}, {value}),\n")),
                None => elements.push_str(&format!("  {value},\n")),
            }
        }
        let names = "const result = 'top', a = 'outer a', handler = 'outer handler', chain1 = 'taken';\n";
        let keep = "export const touched = [result, a, handler, chain1];\n";
        let middleware = format!(
            "import {{ defineMiddleware, mwfilter }} from 'kontract';\n{names}{keep}{top}\nexport default defineMiddleware([\n{elements}]);\n"
        );
        Self { middleware, other: format!("const handler = 'other', chain1 = 'other';\n{other}") }
    }
}

fn declaration(function: &str, index: u64) -> String {
    match function.strip_prefix("async function ") {
        Some(rest) => format!("async function declared{index} {rest}\n"),
        None => format!("const declared{index} = {function};\n"),
    }
}

/// A middleware being written.
struct Function<'r> {
    random: &'r mut Random,
    index: u64,
    /// What `next` is called.
    next: &'static str,
    /// How the log is reached.
    log: &'static str,
    /// How the number is reached that decides branches.
    number: &'static str,
    names: Vec<&'static str>,
    labels: u64,
    steps: u64,
    asynchronous: bool,
}

impl<'r> Function<'r> {
    fn make(random: &'r mut Random, index: u64) -> String {
        const FORMS: &[(&str, &str, &str, &str)] = &[
            ("ctx, next", "next", "ctx.log", "ctx.n"),
            ("ctx, next", "next", "ctx.log", "ctx.n"),
            ("context, go", "go", "context.log", "context.n"),
            ("{ log, n }, next", "next", "log", "n"),
            ("{ log: a1, n: number = 3, ...others }, next", "next", "a1", "number"),
            ("ctx = {}, next = 0", "next", "ctx.log", "ctx.n"),
            ("handler, ctx", "ctx", "handler.log", "handler.n"),
        ];
        let (params, next, log, number) = FORMS[random.pick(FORMS.len())];
        let asynchronous = random.below(5) > 0;
        let keyword = random.below(3) == 0;
        let names = vec!["a", "b", "result", "start", "value", "rest", "once", "chain2", "_a", "middleware"];
        let mut function =
            Function { random, index, next, log, number, names, labels: 0, steps: 0, asynchronous };
        if asynchronous && function.random.below(12) == 0 {
            return format!("async ({params}) => {}", function.value_of_next());
        }
        // Bodies that call once are the ones that are taken apart.
        let body = if function.random.below(3) == 0 { function.attempt(2) } else { function.statements(3) };
        let prefix = if asynchronous { "async " } else { "" };
        if keyword {
            format!("{prefix}function ({params}) {{\n{body}}}")
        } else {
            format!("{prefix}({params}) => {{\n{body}}}")
        }
    }

    fn statements(&mut self, depth: u64) -> String {
        (0..self.random.below(4) + 1).map(|_| self.statement(depth)).collect()
    }

    fn statement(&mut self, depth: u64) -> String {
        if depth == 0 {
            return self.step();
        }
        let next = self.next;
        match self.random.below(22) {
            0..3 => self.step(),
            3 => format!("if ({}) {{\n{}}}\n", self.condition(), self.statements(depth - 1)),
            4 => {
                let (then, otherwise) = (self.statements(depth - 1), self.statements(depth - 1));
                format!("if ({}) {{\n{then}}} else {{\n{otherwise}}}\n", self.condition())
            }
            5 => self.attempt(depth),
            6 => {
                let (zero, one) = (self.statements(depth - 1), self.statements(depth - 1));
                let through = if self.random.below(2) == 0 { "break;\n" } else { "" };
                format!(
                    "switch ({} % 3) {{\ncase 0: {{\n{zero}{through}}}\ncase 1: {{\n{one}break;\n}}\ndefault:\n}}\n",
                    self.number
                )
            }
            7 => {
                // The same label in every function.
                self.labels += 1;
                let label = if self.labels == 1 { "outer" } else { "rest1" };
                let inner = self.statements(0);
                let leave = format!("if ({}) break {label};\n", self.condition());
                let after = self.statements(if self.labels > 1 { 0 } else { depth - 1 });
                format!("{label}: {{\n{inner}{leave}{after}}}\n")
            }
            8 => format!("if ({}) return {};\n", self.condition(), self.answer()),
            9 => format!("if ({}) throw new Error('m{}');\n", self.condition(), self.index),
            10 => {
                let times = self.random.below(3);
                let inner = self.statements(depth - 1);
                format!("for (let i = 0; i < {times}; i += 1) {{\n{inner}}}\n")
            }
            11 => format!("{{\n{}}}\n", self.statements(depth - 1)),
            12 => format!("return {next}();\n"),
            13 => format!("return {};\n", self.answer()),
            _ => self.call(),
        }
    }

    fn attempt(&mut self, depth: u64) -> String {
        // What is returned within `try` settles inside of it only when it is awaited.
        let end = match self.random.below(4) {
            0 => format!("return {};\n", self.answer()),
            1 if self.asynchronous => format!("return await {}();\n", self.next),
            _ => String::new(),
        };
        let block = self.statements(if end.is_empty() { depth - 1 } else { 0 }) + &end;
        let log = self.log;
        let caught = match self.random.below(4) {
            0 => String::new(),
            1 => format!("catch (e) {{\n{log}.push('caught ' + e.message);\nthrow e;\n}}"),
            2 => format!("catch {{\n{}}}", self.statements(depth - 1)),
            _ => format!("catch (e) {{\n{log}.push('caught ' + e.message);\nreturn e.message;\n}}"),
        };
        let last = match self.random.below(3) {
            0 if !caught.is_empty() => String::new(),
            1 => format!("finally {{\n{}}}", self.statements(0)),
            _ => format!("finally {{\n{log}.push('finally {}');\n}}", self.index),
        };
        format!("try {{\n{block}}} {caught} {last}\n")
    }

    fn call(&mut self) -> String {
        let (next, log) = (self.next, self.log);
        if !self.asynchronous {
            return match self.random.below(4) {
                0 => format!("return {next}().then((x) => [x, 'then {}']);\n", self.index),
                1 => format!("return {next}().finally(() => {log}.push('settled {}'));\n", self.index),
                2 => format!("return Promise.all([{next}()]);\n"),
                _ => format!("return {next}();\n"),
            };
        }
        match self.random.below(12) {
            0 => format!("await {next}();\n"),
            1 => format!("return await {next}();\n"),
            2 => format!("return (await {next}());\n"),
            3 => format!("return [await {next}(), '{}'];\n", self.index),
            4 => match self.name() {
                Some(name) => format!(
                    "const before{0} = {1}.push('declared'), {name} = await {next}(), after{0} = 2;\n{1}.push({name}, before{0} > 0, after{0});\n",
                    self.steps(),
                    log
                ),
                None => self.step(),
            },
            5 => match self.name() {
                Some(name) => format!(
                    "let {name};\n{name} = await {next}();\nif ({}) return {name};\n{log}.push({name});\n",
                    self.condition()
                ),
                None => self.step(),
            },
            6 => match self.name() {
                Some(name) => format!(
                    "const {name} = {} ? await {next}() : 'none';\n{log}.push({name});\n",
                    self.condition()
                ),
                None => self.step(),
            },
            7 => match self.name() {
                Some(name) => {
                    format!("const {name} = {next}();\n{log}.push('started');\nreturn await {name};\n")
                }
                None => self.step(),
            },
            8 => format!(
                "const helper{} = async () => await {next}();\nawait helper{}();\n",
                self.steps(),
                self.steps
            ),
            9 => format!("{log}.push(await {next}(), 'pushed');\n"),
            10 => match self.name() {
                Some(name) => format!(
                    "var {name} = await {next}();\n{log}.push({name}, inner{0}());\nfunction inner{0}() {{ return typeof {name}; }}\n",
                    self.steps()
                ),
                None => self.step(),
            },
            _ => match self.name() {
                Some(name) => {
                    format!("const {name} = await {next}();\n{log}.push({name});\nreturn {name};\n")
                }
                None => self.step(),
            },
        }
    }

    fn value_of_next(&mut self) -> String {
        let next = self.next;
        match self.random.below(3) {
            0 => format!("({{ got: await {next}() }})"),
            1 => format!("await {next}()"),
            _ => format!("{next}()"),
        }
    }

    fn step(&mut self) -> String {
        let step = self.steps();
        format!("{}.push('m{} {step}', typeof a1, typeof handler, chain1);\n", self.log, self.index)
    }

    fn steps(&mut self) -> u64 {
        self.steps += 1;
        self.steps
    }

    /// A name that the function has not declared yet.
    fn name(&mut self) -> Option<&'static str> {
        if self.names.is_empty() {
            return None;
        }
        let place = self.random.pick(self.names.len());
        Some(self.names.swap_remove(place))
    }

    fn condition(&mut self) -> String {
        match self.random.below(4) {
            0 => format!("{} % 2 === 0", self.number),
            1 => format!("{} > 3", self.number),
            2 => format!("{} === 1", self.number),
            _ => format!("{} < 5", self.number),
        }
    }

    fn answer(&mut self) -> String {
        let index = self.index;
        match self.random.below(6) {
            0 => format!("'early {index}'"),
            1 => format!("Promise.resolve('later {index}')"),
            2 => format!("Promise.reject(new Error('rejected {index}'))"),
            3 => format!("{{ early: {index}, then: undefined }}"),
            4 => format!("({}.push('answered {index}'), Promise.resolve({index}))", self.log),
            _ => "undefined".to_owned(),
        }
    }
}

/// xorshift64*: equal seeds make equal programs everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn pick(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}
