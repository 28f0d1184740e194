import { useEffect, useRef, useState } from "react";

const WINDOW_MS = 8_000;
const SHORTEST_MS = 2_500;

/** kbit/s by which a total of bytes grew in the last seconds; null while that is not known yet. */
export function useRate(bytes: number): number | null {
  const [rate, setRate] = useState<number | null>(null);
  const newest = useRef(bytes);
  useEffect(() => {
    newest.current = bytes;
  }, [bytes]);
  useEffect(() => {
    let samples: { at: number; bytes: number }[] = [];
    const timer = setInterval(() => {
      const now = { at: performance.now(), bytes: newest.current };
      samples = [...samples.filter((one) => now.at - one.at <= WINDOW_MS), now];
      const first = samples[0] ?? now;
      const ms = now.at - first.at;
      if (ms >= SHORTEST_MS) setRate(Math.max(0, ((now.bytes - first.bytes) * 8) / ms));
    }, 1_000);
    return () => clearInterval(timer);
  }, []);
  return rate;
}
