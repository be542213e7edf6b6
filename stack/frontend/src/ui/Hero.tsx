import { CardPicture } from "../art/CardPicture";
import { PapelPicado } from "../art/PapelPicado";
import { TONES } from "../art/palette";
import { Gata, Perico, Perro } from "../art/scenes";
import { Promises } from "./Promises";

const CARDS = [
  { number: 1, title: "El perro", tone: 0, Drawing: Perro },
  { number: 2, title: "La gata", tone: 3, Drawing: Gata },
  { number: 3, title: "El perico", tone: 5, Drawing: Perico },
] as const;

export function Hero() {
  return (
    <section className="hero">
      <PapelPicado />
      <div className="hero__inner wrap">
        <div className="hero__text">
          <h1>Todo lo que tu consentido pide con los ojos</h1>
          <p>Croquetas, juguetes, camas y mimos, de nuestra tienda en Torreón a tu puerta.</p>
          <a className="button button--large button--ink" href="#catalogo">
            Ver el catálogo
          </a>
          <Promises className="hero__promises" />
        </div>
        <div className="hero__cards" aria-hidden="true">
          {CARDS.map(({ number, title, tone, Drawing }) => (
            <div key={title} className="loteria loteria--hero">
              <div className="loteria__frame">
                <span className="loteria__number">{number}</span>
                <CardPicture tone={TONES[tone]!}>
                  <Drawing />
                </CardPicture>
                <span className="loteria__title">{title}</span>
              </div>
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}
