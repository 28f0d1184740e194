import type { Health, Profile, ShowState, Target } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../../api";
import { COST } from "../../cache";
import { Notice } from "../../parts/notice";
import { costLine, encoderWords } from "./target-words";

interface Props {
  showId: string;
  state: ShowState;
  targets: Target[];
  profiles: Profile[];
  health: Health | null;
  onPicture: (profile: string) => void;
}

/** The re-encoded pictures in use, what they cost, and what is wrong with them. */
export function Encoders({ showId, state, targets, profiles, health, onPicture }: Props) {
  const used = profiles.filter((profile) => targets.some((target) => target.profile === profile.name));
  const plan = usePlan(showId, state, used, health);
  if (!used.length) return null;
  const troubles = (health?.encoders ?? []).map(encoderWords).filter((one) => one !== null);
  const known = new Set((health?.encoders ?? []).filter((one) => one.state === "refused").map((one) => one.profile));
  const refused = Object.entries(plan?.refused ?? {}).filter(([name]) => !known.has(name));
  return (
    <div className="stack tight">
      <h3>Re-encoded pictures</h3>
      {costLine(plan) && <p className="quiet-text number">{costLine(plan)}</p>}
      {refused.map(([name, why]) => (
        <Notice key={name} tone="bad">
          “{name}” can't be made: {why} Choose another picture for its targets.
        </Notice>
      ))}
      {troubles.map(({ text, tone }) => (
        <Notice key={text} tone={tone}>
          {text}
        </Notice>
      ))}
      <ul className="row">
        {used.map((profile) => (
          <li key={profile.name}>
            <button type="button" className="small" onClick={() => onPicture(profile.name)}>
              {profile.name}: crop and overlay
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Before the show the hub is asked; then the media server says it by itself. */
function usePlan(showId: string, state: ShowState, used: Profile[], health: Health | null) {
  const api = useApi();
  const chosen = used.map((one) => `${one.name} ${one.width}×${one.height} ${one.fps} ${one.video_kbps}`);
  const live = state === "live" && health?.plan;
  const asked = useQuery({
    queryKey: [...COST, showId, chosen],
    queryFn: ({ signal }) => api.cost(showId, signal),
    enabled: used.length > 0 && !live,
  });
  return live || asked.data || null;
}
