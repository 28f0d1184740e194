import { ProbesApi } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ALARMS } from "../../cache";
import { Notice } from "../../parts/notice";
import { alarmTimes, alarmWords } from "./region-words";

const LOOK_MS = 15_000;

/** Among the troubles: regions whose viewers are more than twice as badly off as the others'. */
export function RegionAlarms() {
  const api = useMemo(() => new ProbesApi(), []);
  const alarms = useQuery({
    queryKey: [...ALARMS, "regions"],
    queryFn: ({ signal }) => api.alarms(signal),
    refetchInterval: LOOK_MS,
  });
  if (!alarms.data?.length) return null;
  return (
    <div className="stack tight">
      {alarms.data.map((alarm) => (
        <Notice key={alarm.id} tone="bad">
          <strong>{alarmWords(alarm)}</strong> {alarmTimes(alarm)} Look at the CDN there; this goes by itself when it is
          better.
        </Notice>
      ))}
    </div>
  );
}
