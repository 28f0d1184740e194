"""What people write under live sales, and what of it is a claim.

Number 12 is a bag (Red or Blue; S or L), 2 a scarf (Red, Blue), 3 a belt with one variant, 7 shoes (41, 42)
whose word is "comet". After the arrow: product number, variant, quantity; a variant of `?` is not clear.
"""

from __future__ import annotations

from typing import Final

CLAIMS: Final = """
sold 12 red s -> 12 Red / S 1
SOLD 12 RED L x2 -> 12 Red / L 2
Sold 12, red, L! -> 12 Red / L 1
sold #12 blue L -> 12 Blue / L 1
12 rouge L -> 12 Red / L 1
12 rouge s svp -> 12 Red / S 1
+2 bag red L -> 12 Red / L 2
+1 scarf blue -> 2 Blue 1
claim 12 -> 12 ? 1
claim 3 -> 3 - 1
CLAIM 3!!! -> 3 - 1
claim 3 😍😍 -> 3 - 1
sold 3 -> 3 - 1
sold 3 x3 -> 3 - 3
sold 3x2 -> 3 - 2
2x 3 sold -> 3 - 2
sold 3 ×4 -> 3 - 4
sold three -> 3 - 1
sold twelve red large -> 12 Red / L 1
3 sold -> 3 - 1
3 mine -> 3 - 1
mine 3 -> 3 - 1
Mine! 3 please -> 3 - 1
soooold 3 -> 3 - 1
soldddd 3 -> 3 - 1
ok sold 3 -> 3 - 1
yes please sold 3 -> 3 - 1
hi sold 3 -> 3 - 1
@shop sold 3 -> 3 - 1
I'll take 3 -> 3 - 1
i take 2 blue -> 2 Blue 1
I buy 2 red -> 2 Red 1
take 2 red -> 2 Red 1
sold 2 rde -> 2 ? 1
sold 2 bleu -> 2 Blue 1
sold 2 rouge -> 2 Red 1
sold 2 rogue -> 2 Red 1
sold 2 bule -> 2 Blue 1
sold 2 bluee -> 2 Blue 1
vendu 3 -> 3 - 1
vendu 2 bleu -> 2 Blue 1
je prends 2 rouge -> 2 Red 1
je prends la 12 rouge L svp -> 12 Red / L 1
verkauft 3 -> 3 - 1
ich nehme 2 rot -> 2 Red 1
nehme 12 blau L -> 12 Blue / L 1
kaufe 2 blaue bitte -> 2 Blue 1
meins 3 -> 3 - 1
vendido 2 rojo -> 2 Red 1
compro 12 azul L -> 12 Blue / L 1
quiero 2 azul por favor -> 2 Blue 1
prendo 2 rosso -> 2 Red 1
venduto 3 -> 3 - 1
quero 2 vermelho -> 2 Red 1
verkocht 3 -> 3 - 1
ik neem 2 blauw -> 2 Blue 1
biore 2 czerwony -> 2 Red 1
беру 3 -> 3 - 1
беру 2 красный -> 2 Red 1
我要3 -> 3 - 1
我要2红 -> 2 Red 1
2 red -> 2 Red 1
2 blue x2 -> 2 Blue 2
red 2 -> 2 Red 1
12 blue l -> 12 Blue / L 1
12 L red -> 12 Red / L 1
L red 12 -> 12 Red / L 1
12 red large please -> 12 Red / L 1
bag 12 red small -> 12 Red / S 1
sold bag red L -> 12 Red / L 1
sold scarf blue -> 2 Blue 1
sold belt -> 3 - 1
claim belt x2 -> 3 - 2
+3 belt -> 3 - 3
comet 42 -> 7 42 1
comet 41 x2 -> 7 41 2
COMET 42 please -> 7 42 1
sold 7 42 -> 7 42 1
sold 7 size 41 -> 7 41 1
sold 7 42 x2 -> 7 42 2
comet -> 7 ? 1
sold 7 -> 7 ? 1
sold 3 qty 2 -> 3 - 2
sold 3 2 pcs -> 3 - 2
3 belt x2 -> 3 - 2
sold 2 red x 2 -> 2 Red 2
sold １２ red L -> 12 Red / L 1
sold 1️⃣2️⃣ red L -> 12 Red / L 1
SOLD 12 RÉD L -> 12 Red / L 1
sold 12-red-L -> 12 Red / L 1
sold 12/red -> 12 ? 1
sold 12 red -> 12 ? 1
sold 12 blue -> 12 Blue / L 1
dibs 3 -> 3 - 1
claiming 2 red -> 2 Red 1
sold 2 red thank you so -> 2 Red 1
sold item 3 -> 3 - 1
sold number 3 -> 3 - 1
sold nr. 3 -> 3 - 1
sald 3 -> 3 - 1
""".strip().splitlines()

TALK: Final = """
who sold 12 of these?
sold out?
sold out
is 12 sold
is 12 sold out
12?
12
3
+1
+2
sold
sold!
claim
mine
mine too
red
love the red
I sold 12 of these yesterday
I sold 12
she sold 3
they sold 12 red
you sold 3 already
have you sold 12
how many sold 12
how much is 12
how much is 12 red?
what is 12 in red
which sizes for 12
is 12 available in blue
12 people here
12 minutes left
only 3 left
12€
sold for 12€
sold for $12
3:30 pm
at 12:30
12.50
100% red
not 12
dont want 12
cancel 12
please cancel 12 red
unclaim 12
I did not claim 12
can i claim 12
could you show 12
show 12 again please
can you show 3 red again
the red one is nice
hello from Berlin
greetings, 12 years old fan
my sister has 3
I have 2 red already
you have 12 red bags
qui a vendu 12
combien pour le 12
c'est vendu
wer hat 12 gekauft
wieviel kostet 12
ist 12 ausverkauft
cuanto cuesta 12
quien compro 12
quanto costa 12
сколько стоит 12
https://example.com/12 red
sold 99
claim 500
12 99 45 3
sold 3 x999
@ana12 hello
the bag is so pretty
bag
belt looks good on you
2 thumbs up for this
3 cheers
room 12 was amazing and we loved the red walls there
""".strip().splitlines()
