"""Languages as people write them. Pure."""

_NAMES = {
    "asciidoc": "AsciiDoc",
    "c": "C",
    "cmake": "CMake",
    "cobol": "COBOL",
    "coffeescript": "CoffeeScript",
    "cpp": "C++",
    "csharp": "C#",
    "css": "CSS",
    "csv": "CSV",
    "fsharp": "F#",
    "glsl": "GLSL",
    "go-mod": "go.mod",
    "graphql": "GraphQL",
    "hcl": "HCL",
    "html": "HTML",
    "ini": "INI",
    "javascript": "JavaScript",
    "json": "JSON",
    "jupyter": "Jupyter Notebook",
    "objective-c": "Objective-C",
    "ocaml": "OCaml",
    "php": "PHP",
    "powershell": "PowerShell",
    "protobuf": "Protocol Buffers",
    "r": "R",
    "rdoc": "RDoc",
    "robot": "Robot Framework",
    "rst": "reStructuredText",
    "scss": "SCSS",
    "sql": "SQL",
    "tex": "TeX",
    "toml": "TOML",
    "tsx": "TSX",
    "typescript": "TypeScript",
    "vhdl": "VHDL",
    "vim": "Vim script",
    "visual-basic": "Visual Basic",
    "xml": "XML",
    "yaml": "YAML",
}


def language(name: str) -> str:
    """A language, as files are recorded to be in, as people write it."""
    return _NAMES.get(name, name[:1].upper() + name[1:])
