import type { ShopHost } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { HOSTS, useLinks } from "./use-links";

/** The hosts links may lead to besides our own pages. */
export function HostsDialog({ onClose }: { onClose: () => void }) {
  const api = useLinks();
  const cache = useQueryClient();
  const again = () => cache.invalidateQueries({ queryKey: HOSTS });
  const [host, setHost] = useState("");
  const hosts = useQuery({ queryKey: HOSTS, queryFn: ({ signal }) => api.hosts(signal) });
  const add = useMutation({
    mutationFn: () => api.addHost(host),
    onSuccess: async () => {
      setHost("");
      await again();
    },
  });
  const drop = useMutation({ mutationFn: (one: ShopHost) => api.dropHost(one.id), onSuccess: again });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (host.trim() && !add.isPending) add.mutate();
  };
  return (
    <Dialog title="Shop hosts" onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>
          Links lead to your watch pages, and to https addresses on these hosts alone. If you remove one, links to it
          lead to their show instead, or nowhere.
        </p>
        {hosts.isPending && <Loading what="hosts" />}
        <Problem error={hosts.error} retry={() => void hosts.refetch()} />
        {hosts.data?.length === 0 && <p className="quiet-text">None yet.</p>}
        <ul className="lines" aria-label="Hosts">
          {hosts.data?.map((one) => (
            <li key={one.id} className="row spread">
              <span className="wrap">{one.host}</span>
              <button
                type="button"
                className="plain small"
                aria-label={`Remove ${one.host}`}
                disabled={drop.isPending}
                onClick={() => drop.mutate(one)}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
        <TextField label="Host" placeholder="shop.brand.com" maxLength={500} value={host} onText={setHost} />
        <Problem error={add.error ?? drop.error} />
        <div className="row">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button className="primary" disabled={!host.trim()} aria-disabled={add.isPending}>
            Add
          </button>
        </div>
      </form>
    </Dialog>
  );
}
