import "./connections.css";
import type { Alarm } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api";
import { ALARMS } from "../cache";
import { linkTo, PATHS } from "../navigation";
import { Notice } from "../parts/notice";
import { alarmTimes } from "./alarm-words";

const LOOK_MS = 30_000;

/** On every screen: logins and keys that won't last, allowances that run low. */
export function AlarmBanner({ path }: { path: string }) {
  const api = useApi();
  const alarms = useQuery({
    queryKey: ALARMS,
    queryFn: ({ signal }) => api.alarms(signal),
    refetchInterval: LOOK_MS,
  });
  if (!alarms.data?.length) return null;
  return (
    <aside className="alarms stack tight" aria-label="Accounts that need you">
      {alarms.data.map((alarm) => (
        <Raised key={alarm.connection_id} alarm={alarm} path={path} />
      ))}
    </aside>
  );
}

function Raised({ alarm, path }: { alarm: Alarm; path: string }) {
  const see = path !== PATHS.connections && (
    <a className="button small" {...linkTo(PATHS.connections)}>
      See connections
    </a>
  );
  const times = alarmTimes(alarm);
  return (
    <Notice tone={alarm.kind === "login_dead" ? "bad" : "warn"} action={see}>
      <strong>{alarm.sentence}</strong> {times}
    </Notice>
  );
}
