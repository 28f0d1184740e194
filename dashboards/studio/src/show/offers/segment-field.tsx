import { useQuery } from "@tanstack/react-query";
import { SEGMENTS, useBenefitsApi } from "../../benefits/use-benefits";
import { SelectField } from "../../parts/select-field";

/** For whom an offer is; not there while the brand has no groups. */
export function SegmentField({ value, onChoose }: { value: string; onChoose: (id: string) => void }) {
  const api = useBenefitsApi();
  const segments = useQuery({ queryKey: SEGMENTS, queryFn: ({ signal }) => api.segments(signal) });
  if (!segments.data?.length) return null;
  const groups = segments.data.map(({ id, name, people }) => ({ value: id, title: `${name} (${people})` }));
  return (
    <SelectField
      label="For whom"
      value={value}
      options={[{ value: "", title: "Everybody" }, ...groups]}
      onChoose={onChoose}
    />
  );
}
