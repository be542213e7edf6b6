import { useEffect, useState, type FormEvent } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { catalogPath } from "../lib/catalogQuery";
import { SearchIcon } from "./icons";

export function SearchForm() {
  const [params] = useSearchParams();
  const current = params.get("buscar") ?? "";
  const [text, setText] = useState(current);
  const navigate = useNavigate();

  useEffect(() => setText(current), [current]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void navigate(catalogPath({ search: text.trim() }));
  };

  return (
    <form className="search" role="search" onSubmit={submit}>
      <label className="visually-hidden" htmlFor="buscar">
        Buscar productos
      </label>
      <input
        id="buscar"
        type="search"
        name="buscar"
        maxLength={200}
        placeholder="Croquetas, pelota, arena…"
        autoComplete="off"
        enterKeyHint="search"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" aria-label="Buscar">
        <SearchIcon />
      </button>
    </form>
  );
}
