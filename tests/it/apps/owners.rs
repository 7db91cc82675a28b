//! `ctx` and `env` under concurrency: whose call it is, seen from endpoints, middlewares and helpers after every `await`.

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::script;

#[test]
fn a_thousand_interleaved_calls_see_their_own_caller() {
    let app = App::of_fixture("apps/owners");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    let seen = script::run("owners.mjs", &[&script::argument(app.path()), &served.url]);
    assert_eq!((&seen["answers"], &seen["strangers"]), (&1000.into(), &0.into()), "{seen}");
    assert_eq!((&seen["owners"], &seen["requests"]), (&20.into(), &1000.into()), "{seen}");
    // first, two times four from helpers, the row, last; before, after and context of the middleware.
    assert_eq!(seen["sample"].as_array().map(Vec::len), Some(14), "{seen}");
}
