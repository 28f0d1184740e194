import type { Budget, Connection } from "@simulcast/api";
import { useNow } from "../parts/use-now";
import { budgetLine, keyLine, loginLine } from "./connection-words";

/** How long the login and the stream key last, and what is left of today's allowance. */
export function Upkeep({ connection }: { connection: Connection }) {
  const now = useNow(Boolean(connection.key_ends_at));
  const lines = [loginLine(connection, now), keyLine(connection, now)];
  return (
    <>
      {lines.map(
        (line) =>
          line && (
            <p key={line.text.slice(0, 12)} className={`upkeep upkeep-${line.tone}`}>
              {line.text}
            </p>
          ),
      )}
      {connection.budget && <Allowance title={connection.title} budget={connection.budget} />}
    </>
  );
}

function Allowance({ title, budget }: { title: string; budget: Budget }) {
  const { text, tone } = budgetLine(budget);
  return (
    <div className={`allowance upkeep upkeep-${tone}`}>
      <meter
        aria-label={`Units of ${title} used today`}
        min={0}
        max={budget.units}
        high={0.8 * (budget.units - budget.reserve)}
        optimum={0}
        value={budget.used}
      />
      <span className="number">{text}</span>
    </div>
  );
}
