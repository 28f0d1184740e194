import { AnalyticsApi, type SegmentRule } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { RULES } from "./benefit-words";
import { SEGMENTS, useBenefitsApi } from "./use-benefits";

/** A new group: a name, and who belongs to it. */
export function SegmentDialog({ onClose }: { onClose: () => void }) {
  const api = useBenefitsApi();
  const analytics = useMemo(() => new AnalyticsApi(), []);
  const cache = useQueryClient();
  const [name, setName] = useState("");
  const [rule, setRule] = useState<SegmentRule>("members");
  const [orders, setOrders] = useState("2");
  const [cohort, setCohort] = useState("");
  const saved = useQuery({
    queryKey: ["cohorts"],
    queryFn: ({ signal }) => analytics.cohorts(signal),
    enabled: rule === "cohort",
  });
  const chosen = cohort || saved.data?.[0]?.id;
  const add = useMutation({
    mutationFn: () =>
      api.add({
        name,
        rule,
        ...(rule === "buyers" ? { orders: Number(orders) } : {}),
        ...(rule === "cohort" && chosen ? { cohort_id: chosen } : {}),
      }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: SEGMENTS });
      onClose();
    },
  });
  const right = name.trim() && (rule !== "buyers" || Number(orders) >= 1) && (rule !== "cohort" || chosen);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (right && !add.isPending) add.mutate();
  };
  return (
    <Dialog title="New group" onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextField label="Name" maxLength={60} value={name} onText={setName} />
        <SelectField
          label="Who belongs to it"
          help={RULES.find((one) => one.value === rule)?.about}
          value={rule}
          options={RULES}
          onChoose={(value) => setRule(value as SegmentRule)}
        />
        {rule === "buyers" && (
          <TextField label="Paid orders, at least" inputMode="numeric" value={orders} onText={setOrders} />
        )}
        {rule === "cohort" && saved.data?.length === 0 && (
          <p className="quiet-text">Nothing is saved yet. Save a comparison under Channels, Compare people.</p>
        )}
        {rule === "cohort" && saved.data && saved.data.length > 0 && (
          <SelectField
            label="Which one"
            value={chosen ?? ""}
            options={saved.data.map((one) => ({ value: one.id, title: one.name }))}
            onChoose={setCohort}
          />
        )}
        <Problem error={add.error ?? saved.error} />
        <div className="row">
          <button className="primary" disabled={!right || add.isPending}>
            {add.isPending ? "Counting…" : "Make it"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
