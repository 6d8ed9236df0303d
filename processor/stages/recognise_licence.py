"""Recognise a licence by its text.

In:  the text of a licence file.
Out: the SPDX identifier of the licence that it resembles most, with the share of that licence's sentences it has.
"""

import re
from dataclasses import dataclass

_MIN_CONFIDENCE = 0.6
_NEAR = 0.15  # licences that are so near to the best one may be the project's
_READ = 60_000  # characters: the longest of these licences has 35,000
_WORDS = re.compile(r"[a-z0-9]+")

# Sentences that are in every copy of a licence. Two licences of one family differ in at least one of them.
_AS_IS = "the software is provided as is without warranty of any kind express or implied"
_BSD = (
    "redistribution and use in source and binary forms with or without modification are permitted provided that the",
    "redistributions of source code must retain the above copyright notice this list of conditions and the following",
    "redistributions in binary form must reproduce the above copyright notice this list of conditions and the",
    "any express or implied warranties including but not limited to the implied warranties of merchantability and",
)
_NO_ENDORSEMENT = "may be used to endorse or promote products derived from this software without"
_GNU = "everyone is permitted to copy and distribute verbatim copies of this license document but changing it is not"

_SENTENCES: dict[str, tuple[str, ...]] = {
    "MIT": (
        "permission is hereby granted free of charge to any person obtaining a copy of this software and associated",
        "without restriction including without limitation the rights to use copy modify merge publish distribute",
        "and to permit persons to whom the software is furnished to do so subject to the following conditions",
        "the above copyright notice and this permission notice shall be included in all copies or substantial portions",
        _AS_IS,
    ),
    "ISC": (
        "permission to use copy modify and or distribute this software for any purpose with or without fee is hereby",
        "provided that the above copyright notice and this permission notice appear in all copies",
        "the software is provided as is and the author disclaims all warranties with regard to this software",
    ),
    "0BSD": (
        "permission to use copy modify and or distribute this software for any purpose with or without fee is hereby",
        "the software is provided as is and the author disclaims all warranties with regard to this software",
    ),
    "BSD-2-Clause": _BSD,
    "BSD-3-Clause": (*_BSD, _NO_ENDORSEMENT),
    "Apache-2.0": (
        "apache license version 2 0 january 2004",
        "terms and conditions for use reproduction and distribution",
        "each contributor hereby grants to you a perpetual worldwide non exclusive no charge royalty free irrevocable",
        "you must give any other recipients of the work or derivative works a copy of this license",
        "unless required by applicable law or agreed to in writing licensor provides the work",
    ),
    "GPL-2.0": (
        "gnu general public license version 2 june 1991",
        _GNU,
        "the licenses for most software are designed to take away your freedom to share and change it",
        "you may copy and distribute verbatim copies of the program s source code as you receive it in any medium",
    ),
    "GPL-3.0": (
        "gnu general public license version 3 29 june 2007",
        _GNU,
        "the gnu general public license is a free copyleft license for software and other kinds of works",
        "to convey a work means any kind of propagation that enables other parties to make or receive copies",
    ),
    "LGPL-2.1": (
        "gnu lesser general public license version 2 1 february 1999",
        _GNU,
        "the lesser general public license permits more lax criteria for linking other code with the library",
    ),
    "LGPL-3.0": (
        "gnu lesser general public license version 3 29 june 2007",
        _GNU,
        "this version of the gnu lesser general public license incorporates the terms and conditions of version 3",
    ),
    "AGPL-3.0": (
        "gnu affero general public license version 3 19 november 2007",
        _GNU,
        "the gnu affero general public license is a free copyleft license for software and other kinds of works",
        "to convey a work means any kind of propagation that enables other parties to make or receive copies",
    ),
    "MPL-2.0": (
        "mozilla public license version 2 0",
        "each contributor hereby grants you a world wide royalty free non exclusive license",
        "this source code form is subject to the terms of the mozilla public license v 2 0",
    ),
    "EPL-2.0": (
        "eclipse public license v 2 0",
        "the accompanying program is provided under the terms of this eclipse public license",
        "any use reproduction or distribution of the program constitutes recipient s acceptance of this agreement",
    ),
    "Unlicense": (
        "this is free and unencumbered software released into the public domain",
        "anyone is free to copy modify publish use compile sell or distribute this software either in source code form",
        "we make this dedication for the benefit of the public at large and to the detriment of our heirs and",
    ),
    "Python-2.0": (
        "python software foundation license version 2",
        "this license agreement is between the python software foundation psf and the individual or organization",
        "psf is making python available to licensee on an as is basis psf makes no representations or warranties",
    ),
    "BSL-1.0": (
        "boost software license version 1 0 august 17th 2003",
        "permission is hereby granted free of charge to any person or organization obtaining a copy of the software",
        "must be included in all copies of the software in whole or in part and all derivative works of the software",
    ),
    "Zlib": (
        "this software is provided as is without any express or implied warranty in no event will the authors be held",
        "the origin of this software must not be misrepresented you must not claim that you wrote the original",
        "altered source versions must be plainly marked as such and must not be misrepresented as being the original",
    ),
    "CC0-1.0": (
        "creative commons legal code cc0 1 0 universal",
        "to the greatest extent permitted by but not in contravention of applicable law affirmer hereby overtly fully",
        "affirmer offers the work as is and makes no representations or warranties of any kind concerning the work",
    ),
}


@dataclass(frozen=True)
class Licence:
    """A recognised licence. `confidence` is between 0.6 and 1."""

    spdx: str
    confidence: float


def recognise_licence(text: str) -> Licence | None:
    """The licence that `text` resembles, or None. Line breaks, punctuation, case and names do not matter."""
    words = " ".join(_WORDS.findall(text[:_READ].lower()))
    scored = [(_share(words, sentences), spdx) for spdx, sentences in _SENTENCES.items()]
    near = max(_MIN_CONFIDENCE, max(scored)[0] - _NEAR)
    resembling = [
        (_begins(words, spdx), -share, -len(_SENTENCES[spdx]), spdx) for share, spdx in scored if share >= near
    ]
    if not resembling:
        return None
    _, share, _, spdx = min(resembling)  # what a project has from others stands below its own
    return Licence(spdx, round(-share, 2))


def _begins(words: str, spdx: str) -> int:
    places = [place for sentence in _SENTENCES[spdx] if (place := words.find(sentence)) >= 0]
    return min(places, default=len(words))


def _share(words: str, sentences: tuple[str, ...]) -> float:
    """How much of the sentences is in the text: whole ones count fully, others by their runs of four words."""
    return sum(1.0 if sentence in words else _runs(words, sentence) for sentence in sentences) / len(sentences)


def _runs(words: str, sentence: str) -> float:
    parts = sentence.split()
    runs = [" ".join(parts[index : index + 4]) for index in range(len(parts) - 3)]
    return 0.9 * sum(run in words for run in runs) / len(runs) if runs else 0.0
