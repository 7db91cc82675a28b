//! Orders of versions, and the dependencies that follow from who read which version.

use std::collections::{BTreeMap, BTreeSet};

use crate::anomaly::{Anomaly, Kind};
use crate::history::{History, Op, Outcome, Txn};

/// Why one transaction comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Edge {
    /// It wrote the version before the other's.
    WriteWrite,
    /// The other read what it wrote.
    WriteRead,
    /// The other wrote the version after the one that it read.
    ReadWrite,
}

/// What follows from a history: transactions by their index.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    pub(crate) edges: BTreeSet<(usize, usize, Edge)>,
    /// Transactions that took effect. Of the others, the reads count: every attempt is promised a state that was there.
    pub(crate) effective: Vec<bool>,
}

/// Object and value.
type Version<'h> = (&'h str, u64);

struct Versions<'h> {
    history: &'h History,
    found: &'h mut Vec<Anomaly>,
    dependencies: Dependencies,
    /// Who wrote or appended.
    writers: BTreeMap<Version<'h>, usize>,
    /// Who brought a member into a group; more than one may have tried.
    enterers: BTreeMap<Version<'h>, Vec<usize>>,
    /// Who took a member out of a group; more than one may have tried.
    leavers: BTreeMap<Version<'h>, Vec<usize>>,
    /// Members that left with one of several transactions of unknown outcome: nobody can say with which, or when.
    left_somehow: BTreeSet<Version<'h>>,
}

pub(crate) fn dependencies(history: &History, found: &mut Vec<Anomaly>) -> Dependencies {
    let mut versions = Versions {
        history,
        found,
        dependencies: Dependencies::default(),
        writers: BTreeMap::new(),
        enterers: BTreeMap::new(),
        leavers: BTreeMap::new(),
        left_somehow: BTreeSet::new(),
    };
    versions.index();
    let lists = versions.list_orders();
    versions.decide_unknown(&lists);
    versions.lists(&lists);
    versions.registers();
    versions.groups();
    versions.dependencies
}

impl<'h> Versions<'h> {
    fn anomaly(&mut self, kind: Kind, evidence: String) {
        self.found.push(Anomaly { kind, evidence });
    }

    fn name(&self, txn: usize) -> &'h str {
        &self.history.txns[txn].name
    }

    fn edge(&mut self, from: usize, to: usize, edge: Edge) {
        let effective = &self.dependencies.effective;
        let holds = match edge {
            Edge::WriteWrite => effective[from] && effective[to],
            Edge::WriteRead => effective[from],
            Edge::ReadWrite => effective[to],
        };
        if from != to && holds {
            self.dependencies.edges.insert((from, to, edge));
        }
    }

    fn index(&mut self) {
        for (number, txn) in self.history.txns.iter().enumerate() {
            for op in &txn.ops {
                match op {
                    Op::Append(object, value) | Op::Write(object, value) => {
                        self.writers.insert((object, *value), number);
                    }
                    Op::Enter(group, member) => {
                        self.enterers.entry((group, *member)).or_default().push(number);
                    }
                    Op::Leave(group, member) => {
                        self.leavers.entry((group, *member)).or_default().push(number);
                    }
                    Op::Broken(rule) => {
                        let evidence = format!("{} found that {rule}", txn.name);
                        // An attempt that is refused in the end may see what it likes of its own snapshot, but not this.
                        self.found.push(Anomaly { kind: Kind::Claim, evidence });
                    }
                    Op::List(..) | Op::Read(..) | Op::Scan(..) => {}
                }
            }
        }
    }

    /// The longest read of each list; every other must be a beginning of it.
    fn list_orders(&self) -> BTreeMap<&'h str, Vec<u64>> {
        let mut orders: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for txn in &self.history.txns {
            for (list, values) in foreign_lists(txn) {
                let order = orders.entry(list).or_default();
                if values.len() > order.len() {
                    *order = values;
                }
            }
        }
        orders
    }

    /// A transaction of unknown outcome took effect if anything of it was seen.
    fn decide_unknown(&mut self, lists: &BTreeMap<&'h str, Vec<u64>>) {
        let mut seen: BTreeSet<Version<'_>> = BTreeSet::new();
        let mut absent_at_end: BTreeSet<Version<'_>> = BTreeSet::new();
        seen.extend(lists.iter().flat_map(|(list, values)| values.iter().map(|value| (*list, *value))));
        for (register, values) in &self.history.registers {
            seen.extend(values.iter().map(|value| (register.as_str(), *value)));
        }
        for txn in &self.history.txns {
            for op in &txn.ops {
                if let Op::Scan(group, members) = op {
                    seen.extend(members.iter().map(|member| (group.as_str(), *member)));
                }
            }
        }
        let last_scans = self.last_scans();
        for (group, member) in self.leavers.keys() {
            if last_scans.get(group).is_some_and(|members| !members.contains(member)) {
                absent_at_end.insert((group, *member));
            }
        }
        for (version, tried) in &self.leavers {
            let of = |outcome| tried.iter().filter(|txn| self.history.txns[**txn].outcome == outcome).count();
            if absent_at_end.contains(version) && of(Outcome::Committed) == 0 && of(Outcome::Unknown) > 1 {
                self.left_somehow.insert(*version);
            }
        }
        // Of several whose outcome is unknown, nobody can say which one it was.
        let is_sole = |tried: &[usize], number: usize| {
            let others = tried.iter().filter(|other| **other != number);
            others.map(|other| self.history.txns[*other].outcome).all(|outcome| outcome == Outcome::Aborted)
        };
        self.dependencies.effective = self
            .history
            .txns
            .iter()
            .enumerate()
            .map(|(number, txn)| match txn.outcome {
                Outcome::Committed => true,
                Outcome::Aborted => false,
                Outcome::Unknown => txn.ops.iter().any(|op| match op {
                    Op::Append(object, value) | Op::Write(object, value) => {
                        seen.contains(&(object.as_str(), *value))
                    }
                    Op::Enter(group, member) => {
                        let version = (group.as_str(), *member);
                        seen.contains(&version) && is_sole(&self.enterers[&version], number)
                    }
                    Op::Leave(group, member) => {
                        let version = (group.as_str(), *member);
                        absent_at_end.contains(&version) && is_sole(&self.leavers[&version], number)
                    }
                    Op::List(..) | Op::Read(..) | Op::Scan(..) | Op::Broken(_) => false,
                }),
            })
            .collect();
    }

    fn last_scans(&self) -> BTreeMap<&'h str, BTreeSet<u64>> {
        let mut last: BTreeMap<&str, (u64, BTreeSet<u64>)> = BTreeMap::new();
        for txn in self.history.txns.iter().filter(|txn| txn.outcome == Outcome::Committed) {
            for op in &txn.ops {
                if let Op::Scan(group, members) = op
                    && last.get(group.as_str()).is_none_or(|(begin, _)| *begin < txn.begin_ns)
                {
                    last.insert(group, (txn.begin_ns, members.iter().copied().collect()));
                }
            }
        }
        last.into_iter().map(|(group, (_, members))| (group, members)).collect()
    }

    fn lists(&mut self, orders: &BTreeMap<&'h str, Vec<u64>>) {
        for (list, order) in orders {
            self.order(list, order);
        }
        for (number, txn) in self.history.txns.iter().enumerate() {
            self.own_lists(txn);
            for (list, values) in foreign_lists(txn) {
                let order = &orders[list];
                if !order.starts_with(&values) {
                    let at = values.iter().zip(order).position(|(a, b)| a != b).unwrap_or(0);
                    let read = &values[at..values.len().min(at + 3)];
                    let known = &order[at..order.len().min(at + 3)];
                    self.anomaly(
                        Kind::Order,
                        format!("{} read {list} as {read:?} at {at}, where others read {known:?}", txn.name),
                    );
                    continue;
                }
                self.read_of(number, list, order, values.len());
            }
            for op in &txn.ops {
                if let Op::Append(list, value) = op
                    && txn.outcome == Outcome::Committed
                    && !orders.get(list.as_str()).is_some_and(|order| order.contains(value))
                {
                    self.anomaly(Kind::Lost, format!("{value}, which {} appended to {list}", txn.name));
                }
            }
        }
    }

    fn registers(&mut self) {
        for (register, order) in &self.history.registers {
            self.order(register, order);
        }
        let empty = Vec::new();
        for (number, txn) in self.history.txns.iter().enumerate() {
            let mut own: BTreeMap<&str, u64> = BTreeMap::new();
            for op in &txn.ops {
                match op {
                    Op::Read(register, value) => {
                        if let Some(wrote) = own.get(register.as_str()) {
                            if *value != Some(*wrote) {
                                self.anomaly(
                                    Kind::Internal,
                                    format!(
                                        "{} read {value:?} after writing {wrote} to {register}",
                                        txn.name
                                    ),
                                );
                            }
                            continue;
                        }
                        let order = self.history.registers.get(register).unwrap_or(&empty);
                        let place = value
                            .map_or(Some(0), |value| order.iter().position(|v| *v == value).map(|at| at + 1));
                        match (place, value) {
                            (Some(place), _) => self.read_of(number, register, order, place),
                            (None, Some(value)) => self.unexplained(number, register, *value),
                            (None, None) => {}
                        }
                    }
                    Op::Write(register, value) => {
                        own.insert(register, *value);
                    }
                    Op::Append(..)
                    | Op::List(..)
                    | Op::Enter(..)
                    | Op::Leave(..)
                    | Op::Scan(..)
                    | Op::Broken(_) => {}
                }
            }
            for (register, value) in own {
                let order = self.history.registers.get(register).unwrap_or(&empty);
                if txn.outcome == Outcome::Committed && !order.contains(&value) {
                    self.anomaly(Kind::Lost, format!("{value}, which {} wrote to {register}", txn.name));
                }
            }
        }
    }

    /// A value that is in no order of versions.
    fn unexplained(&mut self, reader: usize, object: &str, value: u64) {
        let reader = self.name(reader);
        match self.writers.get(&(object, value)).copied() {
            Some(writer) if self.dependencies.effective[writer] => {
                self.anomaly(
                    Kind::G1b,
                    format!("{reader} read {value} of {object}, which {} replaced itself", self.name(writer)),
                );
            }
            Some(writer) => {
                self.anomaly(
                    Kind::G1a,
                    format!("{reader} read {value} of {object} by {}, which aborted", self.name(writer)),
                );
            }
            None => self.anomaly(Kind::Unwritten, format!("{reader} read {value} of {object}")),
        }
    }

    /// The versions of one object: each written once, by a transaction that took effect, one after the other.
    fn order(&mut self, object: &'h str, order: &[u64]) {
        let mut seen = BTreeSet::new();
        let mut before: Option<usize> = None;
        for value in order {
            if !seen.insert(*value) {
                self.anomaly(Kind::Doubled, format!("{value} of {object}"));
            }
            match self.writers.get(&(object, *value)).copied() {
                Some(writer) if self.dependencies.effective[writer] => {
                    if let Some(before) = before {
                        self.edge(before, writer, Edge::WriteWrite);
                    }
                    before = Some(writer);
                }
                Some(writer) => {
                    self.anomaly(
                        Kind::G1a,
                        format!("{value} of {object} by {}, which aborted", self.name(writer)),
                    );
                    before = None;
                }
                None => {
                    self.anomaly(Kind::Unwritten, format!("{value} of {object}"));
                    before = None;
                }
            }
        }
    }

    /// A read of the first `place` versions of an object.
    fn read_of(&mut self, reader: usize, object: &'h str, order: &[u64], place: usize) {
        let writer_at = |versions: &Self, at: usize| versions.writers.get(&(object, order[at])).copied();
        let last = place.checked_sub(1).and_then(|at| writer_at(self, at));
        let next = (place < order.len()).then(|| writer_at(self, place)).flatten();
        if let Some(writer) = last {
            if last == next && writer != reader {
                self.anomaly(
                    Kind::G1b,
                    format!(
                        "{} read a part of what {} did to {object}",
                        self.name(reader),
                        self.name(writer)
                    ),
                );
            }
            self.edge(writer, reader, Edge::WriteRead);
        }
        // What it wrote itself comes after what it read; the version behind that replaced the one that it read, too.
        let next = (place..order.len()).find_map(|at| writer_at(self, at).filter(|writer| *writer != reader));
        if let Some(writer) = next {
            self.edge(reader, writer, Edge::ReadWrite);
        }
    }

    /// Own appends stand at the end of what a transaction reads afterwards, in order.
    fn own_lists(&mut self, txn: &Txn) {
        let mut own: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for op in &txn.ops {
            match op {
                Op::Append(list, value) => own.entry(list).or_default().push(*value),
                Op::List(list, values) => {
                    if let Some(own) = own.get(list.as_str())
                        && !values.ends_with(own)
                    {
                        self.anomaly(
                            Kind::Internal,
                            format!("{} does not see its own appends to {list}", txn.name),
                        );
                    }
                }
                Op::Write(..)
                | Op::Read(..)
                | Op::Enter(..)
                | Op::Leave(..)
                | Op::Scan(..)
                | Op::Broken(_) => {}
            }
        }
    }

    fn groups(&mut self) {
        let mut members: BTreeMap<&str, BTreeMap<u64, (usize, Option<usize>)>> = BTreeMap::new();
        for (version, tried) in self.enterers.clone() {
            let (group, member) = version;
            let enterer = self.only_one(&tried, &format!("{member} entered {group}"));
            let leavers = self.leavers.get(&version).cloned().unwrap_or_default();
            let leaver = self.only_one(&leavers, &format!("{member} left {group}"));
            if let (Some(enterer), Some(leaver)) = (enterer, leaver) {
                self.edge(enterer, leaver, Edge::WriteWrite);
            }
            members.entry(group).or_default().insert(member, (enterer.unwrap_or(tried[0]), leaver));
        }
        for (number, txn) in self.history.txns.iter().enumerate() {
            let mut entered: BTreeSet<Version<'_>> = BTreeSet::new();
            let mut left: BTreeSet<Version<'_>> = BTreeSet::new();
            for op in &txn.ops {
                match op {
                    Op::Enter(group, member) => drop(entered.insert((group, *member))),
                    Op::Leave(group, member) => drop(left.insert((group, *member))),
                    Op::Scan(group, seen) => {
                        let own_wrong = entered
                            .iter()
                            .any(|(g, m)| g == group && !left.contains(&(*g, *m)) && !seen.contains(m))
                            || left.iter().any(|(g, m)| g == group && seen.contains(m));
                        if own_wrong {
                            self.anomaly(
                                Kind::Internal,
                                format!("{} does not see its own work in {group}", txn.name),
                            );
                        }
                        let known = members.get(group.as_str());
                        for member in seen {
                            if !known.is_some_and(|known| known.contains_key(member)) {
                                self.anomaly(
                                    Kind::Unwritten,
                                    format!("{} saw {member} in {group}", txn.name),
                                );
                            }
                        }
                        for (member, (enterer, leaver)) in known.into_iter().flatten() {
                            self.scanned(number, group, *member, seen.contains(member), (*enterer, *leaver));
                        }
                    }
                    Op::Append(..) | Op::List(..) | Op::Write(..) | Op::Read(..) | Op::Broken(_) => {}
                }
            }
        }
    }

    /// The one of several tries that took effect.
    fn only_one(&mut self, tried: &[usize], what: &str) -> Option<usize> {
        let effective: Vec<_> =
            tried.iter().copied().filter(|txn| self.dependencies.effective[*txn]).collect();
        if let [first, second, ..] = effective[..] {
            let (first, second) = (self.name(first), self.name(second));
            self.anomaly(Kind::Doubled, format!("{what} with {first} and with {second}"));
        }
        effective.first().copied()
    }

    /// What follows from one member's presence or absence in a scan.
    fn scanned(
        &mut self,
        reader: usize,
        group: &str,
        member: u64,
        present: bool,
        (enterer, leaver): (usize, Option<usize>),
    ) {
        let tried = |by: &BTreeMap<Version<'_>, Vec<usize>>| {
            by.get(&(group, member)).is_some_and(|tried| tried.contains(&reader))
        };
        if tried(&self.enterers) || leaver == Some(reader) {
            return;
        }
        if present {
            let tried = self.enterers.get(&(group, member)).into_iter().flatten();
            if tried.copied().all(|txn| self.history.txns[txn].outcome == Outcome::Aborted) {
                let (reader, enterer) = (self.name(reader), self.name(enterer));
                self.anomaly(
                    Kind::G1a,
                    format!("{reader} saw {member} in {group} by {enterer}, which aborted"),
                );
            }
            self.edge(enterer, reader, Edge::WriteRead);
            if let Some(leaver) = leaver {
                self.edge(reader, leaver, Edge::ReadWrite);
            }
            return;
        }
        let time = |txn: usize| (self.history.txns[txn].begin_ns, self.history.txns[txn].end_ns);
        match leaver {
            None if self.left_somehow.contains(&(group, member)) => {}
            None => self.edge(reader, enterer, Edge::ReadWrite),
            // Not yet or no longer? Time says it, where it does.
            Some(leaver) if time(enterer).1 < time(reader).0 => self.edge(leaver, reader, Edge::WriteRead),
            Some(leaver) if time(leaver).0 > time(reader).1 => self.edge(reader, enterer, Edge::ReadWrite),
            Some(_) => {}
        }
    }
}

/// Reads of lists without the transaction's own appends before them.
fn foreign_lists(txn: &Txn) -> Vec<(&str, Vec<u64>)> {
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reads = Vec::new();
    for op in &txn.ops {
        match op {
            Op::Append(list, _) => *own.entry(list).or_default() += 1,
            Op::List(list, values) => {
                let foreign = values.len().saturating_sub(own.get(list.as_str()).copied().unwrap_or(0));
                reads.push((list.as_str(), values[..foreign].to_vec()));
            }
            Op::Write(..) | Op::Read(..) | Op::Enter(..) | Op::Leave(..) | Op::Scan(..) | Op::Broken(_) => {}
        }
    }
    reads
}
