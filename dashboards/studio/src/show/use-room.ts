import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useApi } from "../api";
import { ALARMS, CLAIMS, SESSION } from "../cache";
import { type Look, Room } from "./room";

const OUTSIDE: Look = { phase: "loading", picture: null, connection: "connecting" };
const nothing = () => () => undefined;

/** The room of a show for as long as the page shows it, and what it knows. */
export function useRoom(showId: string): { room: Room | null; look: Look } {
  const api = useApi();
  const cache = useQueryClient();
  const [room, setRoom] = useState<Room | null>(null);
  useEffect(() => {
    const entered = new Room({
      api,
      showId,
      onSignedOut: () => cache.setQueryData(SESSION, null),
      onAlarms: () => void cache.invalidateQueries({ queryKey: ALARMS }),
      onClaims: () => void cache.invalidateQueries({ queryKey: [...CLAIMS, showId] }),
    });
    setRoom(entered);
    void entered.enter();
    return () => entered.leave();
  }, [api, cache, showId]);
  const look = useSyncExternalStore(room?.subscribe ?? nothing, room?.now ?? outside);
  return { room, look };
}

function outside(): Look {
  return OUTSIDE;
}
