//! The graph of dependencies, and the cycles in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::anomaly::{Anomaly, Kind};
use crate::history::{History, Op};
use crate::versions::{Dependencies, Edge};

/// A step of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Depends(Edge),
    /// The one ended before the other began.
    Before,
}

struct Graph<'h> {
    history: &'h History,
    /// For each transaction, who comes after it, and why.
    after: Vec<Vec<(usize, Step)>>,
}

/// At most one cycle of each class: the first says enough, and a broken history has thousands.
pub(crate) fn cycles(history: &History, dependencies: &Dependencies) -> Vec<Anomaly> {
    let mut after = vec![Vec::new(); history.txns.len()];
    for (from, to, edge) in &dependencies.edges {
        after[*from].push((*to, Step::Depends(*edge)));
    }
    let mut graph = Graph { history, after };
    let mut found = graph.classes();
    if found.is_empty() {
        graph.add_time();
        found = graph.classes();
        for anomaly in &mut found {
            anomaly.evidence = format!("{:?} with time: {}", anomaly.kind, anomaly.evidence);
            anomaly.kind = Kind::Realtime;
        }
    }
    found
}

impl Graph<'_> {
    fn classes(&self) -> Vec<Anomaly> {
        let mut found = Vec::new();
        let writes = |step: Step| matches!(step, Step::Depends(Edge::WriteWrite) | Step::Before);
        let reads = |step: Step| step != Step::Depends(Edge::ReadWrite);
        for (kind, allowed) in [(Kind::G0, &writes as &dyn Fn(Step) -> bool), (Kind::G1c, &reads)] {
            if let Some(component) = self.components(allowed).first()
                && let Some(cycle) = self.path(component[0], component[0], component, allowed)
            {
                found.push(self.anomaly(kind, &cycle));
                return found;
            }
        }
        let components = self.components(&|_| true);
        for component in &components {
            if let Some(cycle) = self.with_one_antidependency(component, &reads) {
                found.push(self.anomaly(Kind::GSingle, &cycle));
                break;
            }
        }
        if found.is_empty()
            && let Some(component) = components.first()
            && let Some(cycle) = self.path(component[0], component[0], component, &|_| true)
        {
            found.push(self.anomaly(Kind::G2, &cycle));
        }
        found
    }

    /// A cycle of one read of a replaced version, and otherwise what `allowed` names.
    fn with_one_antidependency(
        &self,
        component: &[usize],
        allowed: &dyn Fn(Step) -> bool,
    ) -> Option<Vec<(usize, Step)>> {
        let antidependencies = component.iter().flat_map(|from| {
            let steps = self.after[*from].iter();
            steps
                .filter(|(to, step)| *step == Step::Depends(Edge::ReadWrite) && component.contains(to))
                .map(|(to, step)| (*from, *to, *step))
        });
        antidependencies.take(ANTIDEPENDENCIES_TRIED_MAX).find_map(|(from, to, step)| {
            let mut cycle = self.path(to, from, component, allowed)?;
            cycle.push((from, step));
            Some(cycle)
        })
    }

    /// A shortest path inside a component: each transaction with the step that leaves it.
    fn path(
        &self,
        from: usize,
        to: usize,
        component: &[usize],
        allowed: &dyn Fn(Step) -> bool,
    ) -> Option<Vec<(usize, Step)>> {
        let inside: BTreeSet<usize> = component.iter().copied().collect();
        let mut came: BTreeMap<usize, (usize, Step)> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(txn) = queue.pop_front() {
            for (next, step) in &self.after[txn] {
                if !allowed(*step) || !inside.contains(next) || came.contains_key(next) {
                    continue;
                }
                came.insert(*next, (txn, *step));
                if *next == to {
                    let mut path = Vec::new();
                    let mut at = to;
                    loop {
                        let (before, step) = came[&at];
                        path.push((before, step));
                        at = before;
                        if at == from {
                            path.reverse();
                            return Some(path);
                        }
                    }
                }
                queue.push_back(*next);
            }
        }
        None
    }

    /// Strongly connected components of more than one transaction, by Tarjan's algorithm without recursion.
    fn components(&self, allowed: &dyn Fn(Step) -> bool) -> Vec<Vec<usize>> {
        let count = self.after.len();
        let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
        let mut on_stack = vec![false; count];
        let (mut stack, mut next_index, mut found) = (Vec::new(), 0, Vec::new());
        for root in 0..count {
            if index[root] != usize::MAX {
                continue;
            }
            let mut work = vec![(root, 0)];
            while let Some((txn, at)) = work.pop() {
                if index[txn] == usize::MAX {
                    index[txn] = next_index;
                    low[txn] = next_index;
                    next_index += 1;
                    stack.push(txn);
                    on_stack[txn] = true;
                }
                let unvisited = |(_, (next, step)): &(usize, &(usize, Step))| {
                    allowed(*step) && index[*next] == usize::MAX
                };
                let descend = self.after[txn]
                    .iter()
                    .enumerate()
                    .skip(at)
                    .find(unvisited)
                    .map(|(place, (next, _))| (place, *next));
                if let Some((place, next)) = descend {
                    work.push((txn, place + 1));
                    work.push((next, 0));
                    continue;
                }
                for (next, step) in &self.after[txn] {
                    if allowed(*step) && on_stack[*next] {
                        low[txn] = low[txn].min(low[*next]);
                    }
                }
                if low[txn] == index[txn] {
                    let mut component = Vec::new();
                    while let Some(member) = stack.pop() {
                        on_stack[member] = false;
                        component.push(member);
                        if member == txn {
                            break;
                        }
                    }
                    if component.len() > 1 {
                        found.push(component);
                    }
                }
            }
        }
        found
    }

    /// Adds who ended before whom began, without what follows from other such steps: of those that have ended, only the
    /// latest that no other one of them follows are named.
    fn add_time(&mut self) {
        let mut points: Vec<(u64, bool, usize)> = Vec::new();
        for (number, txn) in self.history.txns.iter().enumerate() {
            points.push((txn.begin_ns, true, number));
            points.push((txn.end_ns, false, number));
        }
        // An end comes before a beginning at the same time only if time had moved; take them as concurrent.
        points.sort_by_key(|(at, is_begin, number)| (*at, !*is_begin, *number));
        let mut ended: Vec<usize> = Vec::new();
        for (_, is_begin, number) in points {
            if is_begin {
                for before in &ended {
                    self.after[*before].push((number, Step::Before));
                }
            } else {
                let begin = self.history.txns[number].begin_ns;
                ended.retain(|before| self.history.txns[*before].end_ns >= begin);
                ended.push(number);
            }
        }
    }

    fn anomaly(&self, kind: Kind, cycle: &[(usize, Step)]) -> Anomaly {
        let steps: Vec<String> = cycle
            .iter()
            .map(|(txn, step)| {
                let txn = &self.history.txns[*txn];
                let step = match step {
                    Step::Depends(Edge::WriteWrite) => "ww",
                    Step::Depends(Edge::WriteRead) => "wr",
                    Step::Depends(Edge::ReadWrite) => "rw",
                    Step::Before => "time",
                };
                format!("{} {:?} -{step}->", txn.name, Shortened(&txn.ops))
            })
            .collect();
        Anomaly { kind, evidence: steps.join("\n  ") }
    }
}

/// Operations for a person: of long reads, the end.
struct Shortened<'o>(&'o [Op]);

impl fmt::Debug for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for op in self.0 {
            match op {
                Op::List(list, values) => {
                    write!(f, "List({list}, …{:?}) ", &values[values.len().saturating_sub(2)..])?;
                }
                other => write!(f, "{other:?} ")?,
            }
        }
        Ok(())
    }
}

const ANTIDEPENDENCIES_TRIED_MAX: usize = 2000;
