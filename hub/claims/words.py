"""The words people claim with, language by language: data, without accents and in lower case.

What is added here must not be a word people use in passing together with a number: precision comes first,
because a wrong claim takes a unit from somebody who wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CLAIMS: Final = frozenset(
    {
        *("sold", "claim", "claimed", "claiming", "mine", "take", "taking", "buy", "buying", "dibs"),
        *("vendu", "vendue", "achete", "prends", "reserve", "pourmoi"),
        *("verkauft", "gekauft", "kaufe", "nehme", "meins", "meine"),
        *("vendido", "vendida", "compro", "mio", "mia", "quiero", "cojo"),
        *("venduto", "venduta", "prendo", "voglio"),
        *("meu", "minha", "quero", "levo"),
        *("verkocht", "koop", "neem", "mijn"),
        *("sald", "solgt", "tar", "koper", "kober", "kjoper", "otan", "myyty"),
        *("biore", "kupuje", "sprzedane", "prodano", "beru", "kupuji", "aldim", "satildi"),
        *("беру", "куплю", "мое", "купую", "我要", "我买", "購入", "買います", "จอง", "รับ", "เอา"),
    }
)
"""Said first, or right beside the number."""

QUANTITIES: Final = frozenset(
    {
        *("qty", "quantity", "pcs", "pc", "pieces", "piece", "times", "units", "unit"),
        *("stk", "stuck", "mal", "fois", "pieces", "pezzi", "piezas", "unidades", "pecas", "stuks", "szt"),
        *("шт", "件", "個", "个"),
    }
)
"""Beside a number they say that it is how many."""

NUMBERS: Final[Mapping[str, int]] = {
    word: number
    for words in (
        (
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
            " seventeen eighteen nineteen twenty"
        ),
        "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze",
        "eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn",
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince",
        "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici",
        "um dois tres quatro cinco seis sete oito nove dez onze doze treze quatorze quinze",
        "een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien",
        "一 二 三 四 五 六 七 八 九 十 十一 十二",
    )
    for number, word in enumerate(words.split(), 1)
} | {"une": 1, "eine": 1, "einen": 1, "una": 1, "uma": 1, "duas": 2, "zwo": 2}

PLEASANTRIES: Final = frozenset(
    {
        *("please", "pls", "plz", "thanks", "thank", "thx", "ty", "you", "hi", "hey", "hello", "yes", "yay"),
        *(
            "ok",
            "okay",
            "yep",
            "omg",
            "wow",
            "me",
            "for",
            "i",
            "ill",
            "im",
            "id",
            "the",
            "a",
            "an",
            "in",
            "and",
        ),
        *(
            "item",
            "number",
            "nr",
            "no",
            "num",
            "size",
            "colour",
            "color",
            "one",
            "love",
            "want",
            "to",
            "like",
        ),
        *("svp", "stp", "merci", "oui", "je", "moi", "pour", "le", "la", "les", "en", "taille", "numero"),
        *("couleur", "bonjour", "salut", "article", "du", "de"),
        *(
            "bitte",
            "danke",
            "ja",
            "ich",
            "fur",
            "mich",
            "die",
            "der",
            "das",
            "nummer",
            "grosse",
            "farbe",
            "und",
        ),
        *("por", "favor", "gracias", "si", "yo", "para", "mi", "el", "talla", "y", "hola", "o", "os", "as"),
        *("per", "favore", "grazie", "io", "taglia", "il", "lo", "ciao", "e", "di", "eu", "sim", "tamanho"),
        *("obrigada", "obrigado", "ik", "het", "graag", "maat", "voor", "mij", "jag", "jeg", "tack", "takk"),
        *("tak", "prosze", "poprosze", "poproszę", "lutfen", "спасибо", "пожалуйста", "谢谢"),
    }
)
"""They mean nothing for a claim, and may stand anywhere."""

NEVER: Final = frozenset(
    {
        *("?", "$", "who", "whos", "what", "whats", "when", "where", "why", "which", "how", "did", "does"),
        *("do", "is", "isnt", "are", "was", "were", "has", "have", "had", "can", "could", "would", "should"),
        *("will", "if", "not", "dont", "didnt", "never", "cant", "cancel", "cancelled", "unclaim", "of"),
        *("these", "those", "them", "they", "he", "she", "we", "out", "already", "yesterday", "today", "ago"),
        *("left", "last", "people", "persons", "minutes", "minute", "min", "mins", "seconds", "sec", "hours"),
        *("hour", "days", "day", "week", "weeks", "month", "months", "year", "years", "old", "dollars"),
        *("euro", "euros", "eur", "usd", "pounds", "percent", "pm", "am", "uhr", "http", "https", "www"),
        *("someone", "somebody", "everyone", "nobody", "my", "your", "her", "his", "their", "than", "too"),
        *("qui", "quoi", "quand", "combien", "quel", "quelle", "pas", "jamais", "est", "sont", "ont", "hier"),
        *("annule", "annuler", "wer", "was", "wann", "wie", "wieviel", "wieviele", "nicht", "kein", "keine"),
        *("ist", "sind", "hat", "haben", "gestern", "storniere", "quien", "que", "cuando", "cuanto"),
        *("cuantos", "cuantas", "nunca", "es", "son", "ayer", "chi", "cosa", "quando", "quanto", "quanti"),
        *("non", "sono", "ieri", "quem", "quantos", "nao", "ontem", "wie", "wat", "hoeveel", "niet", "geen"),
        *("ile", "kto", "nie", "кто", "сколько", "не", "多少", "谁"),
    }
)
"""One of these, and it is talk about selling, or a question, but no claim."""

SAME: Final[Mapping[str, str]] = {
    word: name
    for name, words in {
        "red": "rouge rot rote roter rotes rojo roja rosso rossa vermelho vermelha rood rode rod czerwony"
        " czerwona kirmizi красный красная 红 紅 赤 红色 紅色",
        "blue": "bleu bleue blau blaue azul blu blauw bla niebieski niebieska mavi синий синяя 蓝 藍 青 蓝色",
        "green": "vert verte grun grune verde groen groene gron zielony zielona yesil зеленый зеленая 绿 緑",
        "black": "noir noire schwarz schwarze negro negra nero nera preto preta zwart zwarte svart czarny"
        " czarna siyah черный черная 黑 黒 黑色",
        "white": "blanc blanche weiss weisse blanco blanca bianco bianca branco branca wit witte vit hvit"
        " bialy biala beyaz белый белая 白 白色",
        "yellow": "jaune gelb gelbe amarillo amarilla giallo gialla amarelo amarela geel gul zolty zolta sari"
        " желтый 黄 黄色",
        "pink": "rosa rosado rosada roze rozowy pembe розовый 粉 粉色 ピンク",
        "brown": "marron braun braune marrone castanho bruin brun brazowy kahverengi коричневый 棕",
        "grey": "gray gris grise grau graue grigio grigia cinza grijs gra szary gri серый 灰",
        "orange": "naranja arancione laranja oranje pomaranczowy turuncu оранжевый 橙",
        "purple": "violet violette lila morado viola roxo paars fioletowy mor фиолетовый 紫",
        "beige": "sand creme cream",
        "gold": "golden dore doree goldene dorado dorada oro dourado goud guld zloty altin золотой 金",
        "silver": "argent silber plateado argento prata zilver srebrny gumus серебро 银",
        "s": "small petit klein klien pequeno piccolo",
        "m": "medium moyen mittel mediano medio",
        "l": "large grand gross grande groot",
        "xl": "xlarge extralarge",
        "xs": "xsmall extrasmall",
        "xxl": "xxlarge",
    }.items()
    for word in words.split()
}
"""A word and the one it is the same as: colours and sizes as people say them elsewhere."""
