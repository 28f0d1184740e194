import type { RiskApi, RiskChange, RiskPace, RiskRule, RiskSettings } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { amountText } from "../orders/amount-text";
import { CheckField } from "../parts/check-field";
import { Dialog } from "../parts/dialog";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { minorOf } from "../products/amounts";
import { limitLabel, usualPace, wholeOf } from "./review-words";

const SETTINGS = ["risk-settings"];

/** How much each rule weighs, when a person looks, and how often one buyer may buy. */
export function RiskSettingsDialog({ api, onClose }: { api: RiskApi; onClose: () => void }) {
  const cache = useQueryClient();
  const settings = useQuery({ queryKey: SETTINGS, queryFn: ({ signal }) => api.settings(signal) });
  const save = useMutation({
    mutationFn: (change: RiskChange) => api.change(change),
    onSuccess: (fresh) => {
      cache.setQueryData(SETTINGS, fresh);
      void cache.invalidateQueries({ queryKey: ["reviews"] });
      onClose();
    },
  });
  return (
    <Dialog title="Rules and limits" onClose={onClose}>
      {settings.isPending && <Loading what="rules" />}
      <Problem error={settings.error ?? save.error} />
      {settings.data && (
        <Form settings={settings.data} busy={save.isPending} onSave={save.mutate} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface FormProps {
  settings: RiskSettings;
  busy: boolean;
  onSave: (change: RiskChange) => void;
  onClose: () => void;
}

function Form({ settings, busy, onSave, onClose }: FormProps) {
  const [from, setFrom] = useState(String(settings.review_from));
  const [minutes, setMinutes] = useState(String(settings.review_minutes));
  const [unreviewed, setUnreviewed] = useState(settings.unreviewed);
  // Only what was touched is sent.
  const [rules, setRules] = useState<Record<string, Partial<RiskRule>>>({});
  const [paces, setPaces] = useState<Record<string, Partial<RiskPace>>>({});
  const [wrong, setWrong] = useState<ReadonlySet<string>>(new Set());
  const mark = (field: string, bad: boolean) => {
    const next = new Set(wrong);
    if (bad) next.add(field);
    else next.delete(field);
    setWrong(next);
  };
  const fromValue = wholeOf(from, 1, 101);
  const minutesValue = wholeOf(minutes, 1, 120);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy || wrong.size || fromValue === null || minutesValue === null) return;
    onSave({ review_from: fromValue, review_minutes: minutesValue, unreviewed, rules, paces });
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <TextField
        label="A person looks from this many points on"
        help="101: never."
        inputMode="numeric"
        problem={fromValue === null ? "From 1 to 101." : undefined}
        value={from}
        onText={setFrom}
      />
      <TextField
        label="For how many minutes an order waits"
        help="Its goods stay reserved so long."
        inputMode="numeric"
        problem={minutesValue === null ? "From 1 to 120." : undefined}
        value={minutes}
        onText={setMinutes}
      />
      <SelectField
        label="When nobody looked in time"
        value={unreviewed}
        options={[
          { value: "refuse", title: "Refuse it and sell the goods again" },
          { value: "approve", title: "Approve it" },
        ]}
        onChoose={(value) => setUnreviewed(value === "approve" ? "approve" : "refuse")}
      />
      <h3>Rules</h3>
      {settings.rules.map((rule) => (
        <RuleFields
          key={rule.id}
          rule={rule}
          currency={settings.currency}
          mark={mark}
          onChange={(part) => setRules((before) => ({ ...before, [rule.id]: { ...before[rule.id], ...part } }))}
        />
      ))}
      <h3>How often</h3>
      {settings.paces.map((pace) => (
        <PaceFields
          key={pace.id}
          pace={pace}
          mark={mark}
          onChange={(part) => setPaces((before) => ({ ...before, [pace.id]: { ...before[pace.id], ...part } }))}
        />
      ))}
      <div className="row">
        <button className="primary" disabled={wrong.size > 0} aria-disabled={busy}>
          Save
        </button>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </form>
  );
}

type Mark = (field: string, bad: boolean) => void;

interface NumberProps {
  label: string;
  help?: string;
  start: string;
  read: (text: string) => number | null;
  onNumber: (value: number) => void;
  onWrong: (bad: boolean) => void;
}

function NumberField({ label, help, start, read, onNumber, onWrong }: NumberProps) {
  const [text, setText] = useState(start);
  const typed = (next: string) => {
    const value = read(next);
    setText(next);
    onWrong(value === null);
    if (value !== null) onNumber(value);
  };
  const problem = read(text) === null ? "Enter another number." : undefined;
  return <TextField label={label} help={help} inputMode="numeric" problem={problem} value={text} onText={typed} />;
}

function RuleFields(props: { rule: RiskRule; currency: string; mark: Mark; onChange: (part: Partial<RiskRule>) => void }) {
  const { rule, currency, mark, onChange } = props;
  const [on, setOn] = useState(rule.on);
  const money = rule.unit === "money";
  const check = (checked: boolean) => {
    setOn(checked);
    onChange({ on: checked });
  };
  return (
    <fieldset className="risk-rule">
      <legend>{rule.title}</legend>
      <CheckField label="Counts" checked={on} onCheck={check} />
      <NumberField
        label="Points"
        help={`As a rule ${rule.usual_points}.`}
        start={String(rule.points)}
        read={(text) => wholeOf(text, -100, 100)}
        onNumber={(points) => onChange({ points })}
        onWrong={(bad) => mark(`${rule.id}.points`, bad)}
      />
      {rule.unit !== "none" && (
        <NumberField
          label={limitLabel(rule)}
          start={money ? amountText(rule.limit, currency) : String(rule.limit)}
          read={(text) => (money ? minorOf(text, currency) : wholeOf(text, 0, 10 ** 12))}
          onNumber={(limit) => onChange({ limit })}
          onWrong={(bad) => mark(`${rule.id}.limit`, bad)}
        />
      )}
    </fieldset>
  );
}

function PaceFields({ pace, mark, onChange }: { pace: RiskPace; mark: Mark; onChange: (part: Partial<RiskPace>) => void }) {
  return (
    <fieldset className="risk-rule">
      <legend>{pace.title}</legend>
      <NumberField
        label="At most"
        help={usualPace(pace)}
        start={String(pace.most)}
        read={(text) => wholeOf(text, 1, 1_000)}
        onNumber={(most) => onChange({ most })}
        onWrong={(bad) => mark(`${pace.id}.most`, bad)}
      />
      <NumberField
        label="Within seconds"
        start={String(pace.seconds)}
        read={(text) => wholeOf(text, 1, 86_400)}
        onNumber={(seconds) => onChange({ seconds })}
        onWrong={(bad) => mark(`${pace.id}.seconds`, bad)}
      />
    </fieldset>
  );
}
