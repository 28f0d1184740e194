import type { Profile } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../../api";
import { PROFILE_PRESETS } from "../../cache";
import { SelectField } from "../../parts/select-field";
import { pictureName, uprightHint } from "./target-words";

interface Props {
  profiles: Profile[];
  value: string | null;
  /** The platform's name, and whether it shows upright pictures only. */
  platform: string;
  vertical: boolean;
  onChoose: (profile: string | null) => void;
}

/** Which picture a target gets: the show's profiles and those a show may begin with. */
export function ProfileField({ profiles, value, platform, vertical, onChoose }: Props) {
  const api = useApi();
  const presets = useQuery({
    queryKey: PROFILE_PRESETS,
    queryFn: ({ signal }) => api.profilePresets(signal),
    staleTime: Infinity,
  });
  const known = new Set(profiles.map((one) => one.name));
  const every = [...profiles, ...(presets.data ?? []).filter((one) => !known.has(one.name))];
  const hint = uprightHint(platform, vertical, every.find((one) => one.name === value));
  return (
    <SelectField
      label="Picture"
      help={hint || "Anything but the first is re-encoded on the media server, once for all targets that use it."}
      value={value ?? ""}
      options={[
        { value: "", title: pictureName(null) },
        ...every.map((one) => ({ value: one.name, title: one.name })),
      ]}
      onChoose={(name) => onChoose(name || null)}
    />
  );
}
