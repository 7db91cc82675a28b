//! The seed's world: clients whose statements are interleaved at random, answers that are lost, statements that arrive late,
//! crashes. No threads, no clock: the same seed gives the same history.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use kontract_history::Txn;
use kontract_mvcc::statement::{Statement, StatementResult};

use crate::database::{Database, Guard};

/// What is shared by the clients of one history.
pub(crate) struct World {
    pub(crate) database: RefCell<Database>,
    pub(crate) history: RefCell<Vec<Txn>>,
    /// Parts of a commit that the core leaves out.
    pub(crate) forgets: &'static [&'static str],
    random: Cell<u64>,
    time: Cell<u64>,
    values: Cell<u64>,
    /// Batches whose sender thinks that they are lost.
    late: RefCell<Vec<Vec<Statement>>>,
    faults: Cell<bool>,
}

/// One client, as far as the scheduler knows.
pub(crate) type Client = Pin<Box<dyn Future<Output = ()>>>;

impl World {
    pub(crate) fn new(seed: u64, guard: Option<Guard>, forgets: &'static [&'static str]) -> Rc<Self> {
        Rc::new(Self {
            database: RefCell::new(Database::without(guard)),
            history: RefCell::default(),
            forgets,
            random: Cell::new(seed),
            time: Cell::new(0),
            values: Cell::new(1000),
            late: RefCell::default(),
            faults: Cell::new(false),
        })
    }

    /// Lets the clients run, one step of one of them at a time, until all are done.
    pub(crate) fn run(&self, mut clients: Vec<Client>, faults: bool) {
        self.faults.set(faults);
        let mut context = Context::from_waker(Waker::noop());
        while !clients.is_empty() {
            let chosen = self.below(clients.len());
            if clients[chosen].as_mut().poll(&mut context).is_ready() {
                drop(clients.swap_remove(chosen));
            }
            if self.strikes(1500) {
                self.database.borrow_mut().crash();
            }
            if self.strikes(20) {
                self.deliver_late();
            }
        }
        self.deliver_late();
    }

    fn deliver_late(&self) {
        for statement in self.late.borrow_mut().pop().into_iter().flatten() {
            // Nobody waits for the answer.
            let _answer: StatementResult = self.database.borrow_mut().run(&statement);
        }
    }

    /// Sends a batch; `None` when the answer is lost, whether anything was done or not.
    pub(crate) async fn send(&self, statements: &[Statement]) -> Option<Vec<StatementResult>> {
        pause().await;
        if self.strikes(60) {
            if self.one_in(2) {
                self.late.borrow_mut().push(statements.to_vec());
            }
            return None;
        }
        let mut results = Vec::new();
        for statement in statements {
            if self.one_in(2) {
                pause().await;
            }
            results.push(self.database.borrow_mut().run(statement));
        }
        if self.strikes(60) {
            // A pooler may deliver them once more.
            self.late.borrow_mut().push(statements.to_vec());
            return None;
        }
        pause().await;
        Some(results)
    }

    /// Time goes on with each look at it.
    pub(crate) fn now(&self) -> u64 {
        self.time.set(self.time.get() + 1);
        self.time.get()
    }

    /// A value that nobody else writes.
    pub(crate) fn value(&self) -> u64 {
        self.values.set(self.values.get() + 1);
        self.values.get()
    }

    /// The next random number (SplitMix64).
    pub(crate) fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&self, bound: usize) -> usize {
        usize::try_from(self.random() % bound.max(1) as u64).expect("invariant: below a usize")
    }

    pub(crate) fn one_in(&self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn strikes(&self, one_in: usize) -> bool {
        self.faults.get() && self.one_in(one_in)
    }
}

/// Lets others go first.
pub(crate) async fn pause() {
    let mut waited = false;
    std::future::poll_fn(
        |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending },
    )
    .await;
}
