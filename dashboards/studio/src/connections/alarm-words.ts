/** Alarms in words. */

import type { Alarm } from "@simulcast/api";
import { dateTime } from "../parts/words";

const ENDS: Record<Alarm["kind"], string> = {
  login_dead: "",
  login_ends: "The login ends on",
  key_ends: "The key runs out on",
  shop_silent: "Not heard from since",
  quota_low: "The allowance is whole again on",
};

/** "The login ends on 24 Nov 2026, 18:30. “Evening” begins on 24 Nov 2026, 18:00." */
export function alarmTimes(alarm: Alarm, locale?: string): string {
  const ends = alarm.at && ENDS[alarm.kind] ? `${ENDS[alarm.kind]} ${dateTime(alarm.at, locale)}.` : "";
  const begins =
    alarm.show_title && alarm.starts_at
      ? `“${alarm.show_title}” begins on ${dateTime(alarm.starts_at, locale)}.`
      : "";
  return [ends, begins].filter(Boolean).join(" ");
}
