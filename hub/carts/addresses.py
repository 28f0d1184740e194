"""Where an order goes, and what has to be said about a place in each country."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, StringConstraints

from hub.errors import BadInput

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
Country = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{2}$")]

EVERYWHERE: Final = (
    "AD AE AG AI AL AM AO AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ "
    "CA CD CF CG CH CI CK CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM "
    "FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT "
    "JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH "
    "MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK "
    "PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SK SL SM SN SO SR SS ST SV SX SY SZ "
    "TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW"
)
"""Countries with a post (ISO 3166-1), for a way of delivery that names none."""
WITH_REGION: Final = frozenset({"US", "CA", "AU", "BR", "CN", "IN", "JP", "MX"})
"""Countries whose post needs a state or province."""
WITHOUT_POSTCODE: Final = (
    "AE AG AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM DJ DM ER FJ GD GH GM GN GQ GY HK IE JM KE KI KM KN "
    "KP LC ML MO MR MU MW NR NU PA QA RW SB SC SL SO SR ST SY TD TG TK TL TO TT TV TZ UG VU YE ZA ZW"
)
POSTCODES: Final = {
    **dict.fromkeys(("DE", "FR", "ES", "IT", "FI", "MX"), r"\d{5}"),
    **dict.fromkeys(("AT", "BE", "CH", "DK", "NO", "LU", "AU"), r"\d{4}"),
    "US": r"\d{5}(-\d{4})?",
    "CA": r"[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d",
    "GB": r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}",
    "NL": r"\d{4} ?[A-Za-z]{2}",
    "PL": r"\d{2}-\d{3}",
    "SE": r"\d{3} ?\d{2}",
}
"""Only where a postcode that does not fit is surely a slip."""


class Address(BaseModel):
    """A postal address. Which parts a country needs is checked by `complete`."""

    line1: Line
    line2: Line = ""
    city: Line
    postcode: Annotated[str, StringConstraints(strip_whitespace=True, max_length=16)] = ""
    region: Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=40)] = ""
    country: Country
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=32)] = ""


class CountryRule(BaseModel):
    """What a form asks for."""

    code: str
    region: bool
    postcode: bool

    @classmethod
    def of(cls, code: str) -> CountryRule:
        """The rule of a country."""
        return cls(code=code, region=code in WITH_REGION, postcode=code not in WITHOUT_POSTCODE)


def complete(address: Address) -> Address:
    """The address, if the post can find it; BadInput names the fields to look at."""
    rule = CountryRule.of(address.country)
    wrong = []
    if not address.line1:
        wrong.append({"field": "address.line1", "why": "Enter the street and number."})
    if not address.city:
        wrong.append({"field": "address.city", "why": "Enter the town or city."})
    if rule.region and not address.region:
        wrong.append({"field": "address.region", "why": "Enter the state or province."})
    if rule.postcode and not address.postcode:
        wrong.append({"field": "address.postcode", "why": "Enter the postcode."})
    pattern = POSTCODES.get(address.country)
    if pattern and address.postcode and not re.fullmatch(pattern, address.postcode):
        wrong.append({"field": "address.postcode", "why": "This postcode does not look right. Check it."})
    if wrong:
        said = " ".join(dict.fromkeys(one["why"] for one in wrong))
        raise BadInput("address_incomplete", said, fields=wrong)
    return address
