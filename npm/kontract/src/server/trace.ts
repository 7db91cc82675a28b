// What a call cost: attempts, conflicts, pauses, round trips to the database.

import type { DatabaseStub } from "./platform.js";
import type { Connect } from "./runtime.js";

/** Counts what happens during one call, and says it in one line of the log. */
export class Trace {
  /** How often the endpoint ran. */
  attempts = 0;
  /** Transactions that ran again because another call was in the way; inner ones included. */
  conflicts = 0;
  /** Transactions that ran again because the connection to the database was lost. */
  lost = 0;
  pausedMs = 0;
  /** Batches of statements that went to the database. */
  roundTrips = 0;

  readonly #start = Date.now();

  /** The same connection, each batch of which counts. It is reached for when there is something to send: many calls send nothing. */
  counting(database: Connect): Connect {
    return (contested) => {
      let stub: DatabaseStub | undefined;
      return {
        run: (statements) => {
          this.roundTrips += 1;
          stub ??= database(contested);
          return stub.run(statements);
        },
      };
    };
  }

  /** Every call is told where the development server listens; elsewhere those that ran more than once. */
  report(name: string, status: number, toDevelopment: boolean): void {
    const { attempts, conflicts, lost, pausedMs, roundTrips } = this;
    const facts = { name, status, ms: Date.now() - this.#start, attempts, conflicts, lost, pausedMs, roundTrips };
    if (toDevelopment) {
      console.log(`kontract-request ${JSON.stringify(facts)}`);
    } else if (conflicts + lost > 0) {
      console.warn(`kontract: ${name} ran ${attempts} times: ${JSON.stringify(facts)}`);
    }
  }
}
