"""What a name means where it stands: by scopes, imports, classes and their bases, types and results of calls. Pure."""

from processor.linking.holding import ABOVE, IMPLICIT, OPEN, OUTSIDE, OWN, Bound, Holding, Thing
from processor.linking.levels import INFERRED
from processor.linking.meanings import Meaning
from processor.linking.standard import PYTHON_BUILTINS
from processor.linking.symbols import CLASSES
from processor.linking.written import made_by, parts_of, returned

_MOST_STEPS = 12


class Names(Holding):
    """The names of a repository, looked for. Give it imports, bases and types of fields before it is asked."""

    def lookup(self, file: int, scope: str, name: str, steps: int = 0) -> Thing | None:
        """What a bare name means; None where nothing says so."""
        if steps > _MOST_STEPS:
            return None
        return self.near(file, scope, name, steps) or self._everywhere(file, name)

    def near(self, file: int, scope: str, name: str, steps: int = 0) -> Thing | None:
        """What a bare name means by what stands around it, is imported, or needs no import: nothing is guessed."""
        return (
            self._in_scopes(file, scope, name, steps)
            or self._in_module(file, name, steps)
            or self._in_namespaces(file, scope, name)
            or self._in_place(file, name)
        )

    def member(self, thing: Thing, name: str, steps: int = 0) -> Thing | None:
        """What `name` means when it is asked of something."""
        if steps > _MOST_STEPS or thing.what == "outside":
            return OUTSIDE if thing.what == "outside" else None
        if thing.what == "module":
            return self._of_module(thing, name, steps + 1)
        if thing.what in {"class", "value", "above"}:
            return self._of_class(thing, name, steps + 1)
        return None

    def chain(self, file: int, scope: str, written: str, beginning: Thing | None, steps: int = 0) -> Thing | None:
        """What a receiver is, `a.b().c`; `beginning` is its first part where the file gives it a type."""
        parts = parts_of(written)
        if not parts or steps > _MOST_STEPS:
            return None
        thing = beginning
        if thing is None:
            thing = self._first(file, scope, parts[0], steps + 1)
            rest = parts[1:]
        else:
            rest = parts[2:] if parts[0] in OWN and len(parts) > 1 else parts[1:]
            if parts[0].endswith("()"):
                return None
        for part in rest:
            if thing is None:
                return None
            asked = self.member(thing, part.removesuffix("()"), steps + 1)
            thing = self._called(asked, steps + 1) if part.endswith("()") else asked
        return thing

    def of_type(self, file: int, scope: str, written: str, steps: int = 0) -> Thing | None:
        """A value of a type as written; `X()` is what a call of `X` gives. `outside` where the type is not here."""
        if steps > _MOST_STEPS:
            return None
        thing = self.named(file, scope, written.removesuffix("()"), steps)
        if written.endswith("()"):
            return self._called(thing, steps + 1)
        if thing is None or thing.what == "outside":
            return OUTSIDE
        return Thing("value", thing.number, min(thing.confidence, INFERRED)) if thing.what == "class" else None

    def named(self, file: int, scope: str, written: str, steps: int = 0) -> Thing | None:
        """What a dotted name means."""
        parts = parts_of(written)
        thing = self._first(file, scope, parts[0], steps + 1) if parts else None
        for part in parts[1:]:
            thing = self.member(thing, part, steps + 1) if thing is not None else None
        return thing

    def _first(self, file: int, scope: str, part: str, steps: int) -> Thing | None:
        """The first part of a chain."""
        called = part.endswith("()")
        name = part.removesuffix("()")
        if name in OWN or part in ABOVE or name in ABOVE:
            around = self.class_around(file, scope)
            if around is None:
                return None
            return Thing("above" if name in ABOVE else "value", around)
        if made := made_by(name):
            name, called = made, True
        if self._files.languages[file] == "php":
            name = name.lstrip("$")
        thing = self.lookup(file, scope, name, steps + 1)
        return self._called(thing, steps + 1) if called else thing

    def _called(self, thing: Thing | None, steps: int) -> Thing | None:
        """What a call gives."""
        if thing is None or thing.what == "outside":
            return thing
        if thing.what == "class":
            return Thing("value", thing.number, min(thing.confidence, INFERRED))
        if thing.what != "function" or steps > _MOST_STEPS:
            return None
        symbols, number = self.symbols, thing.number
        written = returned(self._files.languages[symbols.file[number]] or "", symbols, number)
        if not written:
            return None
        file, qualified = symbols.file[number], symbols.qualified(number)
        if written == "Self":
            around = self.class_around(file, qualified)
            return Thing("value", around, INFERRED) if around is not None else None
        given = self.of_type(file, symbols.owner(file, qualified), written, steps + 1)
        return given if given is None or given.what != "value" else given._replace(confidence=INFERRED)

    def _in_scopes(self, file: int, scope: str, name: str, steps: int) -> Thing | None:
        symbols = self.symbols
        held, separator, language = symbols.in_file(file), symbols.separator(file), self._files.languages[file]
        here = scope
        while here:
            around = held.get(here)
            is_class = around is not None and symbols.kind(around) in CLASSES
            if not is_class or language in IMPLICIT or here == scope:
                number = held.get(f"{here}{separator}{name}")
                if number is not None:
                    return self._thing(number)
                if is_class and language in IMPLICIT and around is not None:
                    inherited = self._of_class(Thing("value", around), name, steps + 1)
                    if inherited is not None and inherited.what != "outside":
                        return inherited
            here = here.rpartition(separator)[0]
        return None

    def _in_module(self, file: int, name: str, steps: int) -> Thing | None:
        number = self.symbols.in_file(file).get(name)
        if number is not None:
            return self._thing(number)
        if (written := self._said[file].typed.get(("", name))) is not None:
            return self.of_type(file, "", written, steps + 1)
        bound = self.bound(file, name)
        if bound is not None:
            return self._of_bound(bound, steps + 1)
        if self._files.languages[file] == "python" and name in PYTHON_BUILTINS:
            return OUTSIDE
        for meaning in self._said[file].all_of:
            thing = self._of_meaning(meaning, name, steps + 1) if meaning.what in {"file", "folder"} else None
            if thing is not None and thing.what != "outside":
                return thing
        return None

    def _of_bound(self, bound: Bound, steps: int) -> Thing | None:
        meaning = bound.meaning
        if meaning.what in {"standard", "dependency", "unknown"}:
            return OUTSIDE
        if meaning.what == "folder":
            return self._of_folder(meaning, bound, steps)
        language = self._files.languages[meaning.file]
        if language in {"csharp", "elixir"}:
            return self._of_full_name(bound)
        name = bound.name
        if language in {"java", "kotlin", "scala", "php"} and not name:
            name = parts_of(bound.module)[-1]
        if not name:
            return self._package_of(bound)
        thing = self._of_module(Thing("module", meaning.file, meaning.confidence), name, steps + 1)
        if thing is not None:
            return thing
        stem = self._files.paths[meaning.file].rpartition("/")[2].partition(".")[0]
        is_itself = stem == name or (stem == "__init__" and self._files.folders[meaning.file].endswith(name))
        if is_itself or language == "rust":
            return Thing("module", meaning.file, meaning.confidence)
        return None

    def _of_full_name(self, bound: Bound) -> Thing | None:
        if self._files.languages[bound.meaning.file] == "csharp":
            return self._type_named(bound.module)
        number = self.symbols.in_file(bound.meaning.file).get(bound.module)
        return self._thing(number) if number is not None else None

    def _package_of(self, bound: Bound) -> Thing:
        """`import a.b` gives the name `a`: its own file, where that is one."""
        meaning = bound.meaning
        if self._files.languages[meaning.file] == "python" and "." in bound.module:
            top = self._modules.python.module(bound.module.partition(".")[0], meaning.file)
            if top is not None:
                return Thing("module", top, meaning.confidence)
        return Thing("module", meaning.file, meaning.confidence)

    def _of_folder(self, meaning: Meaning, bound: Bound, steps: int) -> Thing | None:
        folder = self._files.in_folder.get(meaning.target)
        if not folder:
            return None
        if self._files.languages[folder[0]] == "go" or not bound.module:
            return Thing("module", -2 - folder[0], meaning.confidence)  # every file of the folder together
        return self._of_meaning(meaning, bound.name or parts_of(bound.module)[-1], steps + 1)

    def _of_meaning(self, meaning: Meaning, name: str, steps: int) -> Thing | None:
        if meaning.what == "folder":
            thing = self._one_of(self.symbols.in_place(meaning.target, name))
            return thing and thing._replace(confidence=min(thing.confidence, meaning.confidence))
        return self._of_module(Thing("module", meaning.file, meaning.confidence), name, steps + 1)

    def _of_module(self, thing: Thing, name: str, steps: int) -> Thing | None:
        if steps > _MOST_STEPS:
            return None
        if thing.number <= -2:
            return self._one_of(self.symbols.in_place(self._files.places[-2 - thing.number], name))
        file = thing.number
        if name == "default":
            return self._default_of(file)
        found = self._in_module(file, name, steps + 1)
        if found is None and self._files.languages[file] == "python":
            inside = self._modules.python.submodule(file, name)
            found = Thing("module", inside) if inside is not None else None
        if found is None:
            return None
        return found._replace(confidence=min(found.confidence, max(thing.confidence, INFERRED)))

    def _of_class(self, thing: Thing, name: str, steps: int) -> Thing | None:
        found = self._own_member(thing.number, name, steps) if thing.what != "above" else None
        if found is not None:
            return found._replace(confidence=min(found.confidence, thing.confidence))
        outside = False
        if steps > _MOST_STEPS:
            return None
        file, owner = self.symbols.file[thing.number], self.symbols.owner
        for base in self._said[file].bases.get(thing.number, ()):
            parent = self.of_type(file, owner(file, self.symbols.qualified(thing.number)), base, steps + 1)
            if parent is None or parent.what == "outside" or parent.number == thing.number:
                outside = True
                continue
            inherited = self._of_class(parent._replace(what="value"), name, steps + 1)
            if inherited is not None and inherited.what != "outside":
                return inherited._replace(confidence=min(inherited.confidence, INFERRED))
            outside = outside or inherited is not None
        return OUTSIDE if outside else None

    def _own_member(self, number: int, name: str, steps: int) -> Thing | None:
        symbols = self.symbols
        file, qualified = symbols.file[number], symbols.qualified(number)
        member = symbols.in_file(file).get(f"{qualified}{symbols.separator(file)}{name}")
        if member is not None and symbols.kind(member) != "declaration":
            return self._thing(member)
        written = self._said[file].typed.get((qualified, name))
        if written is not None:
            return self.of_type(file, qualified, written, steps + 1)
        if self._files.languages[file] in OPEN:
            spread = [n for n in symbols.members(file, symbols.name(number), name) if n != member]
            one = self._one_of(spread)
            if one is not None:
                return one._replace(confidence=min(one.confidence, INFERRED))
        return self._thing(member) if member is not None else None
