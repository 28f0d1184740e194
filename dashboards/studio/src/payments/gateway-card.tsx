import type { PaymentGateway, PaymentsApi } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Pill } from "../parts/pill";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { budgetOf, dayOf, healthOf, seconds, stepLabel, roleOf } from "./payment-words";

interface Props {
  gateway: PaymentGateway;
  place: number;
  count: number;
  move: (from: number, to: number) => void;
  api: PaymentsApi;
  changed: (rows: PaymentGateway[]) => void;
}

/** One gateway: how it is, how fast it was, and when it is too slow. */
export function GatewayCard({ gateway, place, count, move, api, changed }: Props) {
  const health = healthOf(gateway);
  const called = gateway.name === gateway.title ? gateway.title : `${gateway.title}, ${gateway.name}`;
  return (
    <div className="stack tight">
      <div className="row">
        <strong className="wrap">{called}</strong>
        <Pill tone={health.tone}>{health.label}</Pill>
        {gateway.test && <Pill tone="quiet">Play money</Pill>}
        <span className="gateway-moves row">
          <button
            type="button"
            className="small"
            aria-label={`Up: use ${called} earlier`}
            disabled={place === 0}
            onClick={() => move(place, place - 1)}
          >
            Up
          </button>
          <button
            type="button"
            className="small"
            aria-label={`Down: use ${called} later`}
            disabled={place === count - 1}
            onClick={() => move(place, place + 1)}
          >
            Down
          </button>
        </span>
      </div>
      <span>{roleOf(gateway, place)}</span>
      <span className="quiet-text">{dayOf(gateway)}</span>
      {gateway.calls > 0 && <Speed gateway={gateway} />}
      <Budget gateway={gateway} api={api} changed={changed} />
    </div>
  );
}

/** How many payments were answered how fast; too slow ones are marked, in words as well. */
function Speed({ gateway }: { gateway: PaymentGateway }) {
  const most = Math.max(...gateway.authorise.map((step) => step.calls));
  return (
    <table className="speed">
      <caption className="quiet-text">How long authorisations took</caption>
      <tbody>
        {gateway.authorise.map((step) => {
          const late = step.le_ms > gateway.budget_ms;
          return (
            <tr key={step.le_ms} className={late ? "late" : undefined}>
              <th scope="row">{stepLabel(step)}</th>
              <td>
                <meter min={0} max={most} value={step.calls} aria-hidden="true" />
                <span className="number">
                  {step.calls}
                  {late && " too slow"}
                </span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Budget({ gateway, api, changed }: Pick<Props, "gateway" | "api" | "changed">) {
  const usual = gateway.budget_ms === gateway.usual_budget_ms;
  const [text, setText] = useState(usual ? "" : String(gateway.budget_ms / 1000));
  const allow = useMutation({
    mutationFn: (ms: number | null) => api.allow(gateway.connection_id, ms),
    onSuccess: changed,
  });
  const ms = budgetOf(text);
  const same = ms === (usual ? null : gateway.budget_ms);
  return (
    <form
      className="row gateway-budget"
      onSubmit={(event) => {
        event.preventDefault();
        if (ms !== undefined && !same && !allow.isPending) allow.mutate(ms);
      }}
    >
      <TextField
        label="Too slow after, in seconds"
        inputMode="decimal"
        placeholder={seconds(gateway.usual_budget_ms).replace(" s", "")}
        problem={ms === undefined ? "Between 0.2 and 20, or nothing for the usual time." : undefined}
        value={text}
        onText={setText}
      />
      <button className="small" disabled={ms === undefined || same || allow.isPending}>
        Save
      </button>
      <Problem error={allow.error} />
    </form>
  );
}
