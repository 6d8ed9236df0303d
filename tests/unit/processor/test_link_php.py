"""`use` of PHP on a project as they are: several roots, packages of their own, groups, aliases, a dependency."""

import json

from processor.linking.own_modules import known_of
from tests.support.linking import linked

ROOT = {
    "name": "acme/framework",
    "require": {"psr/log": "^3"},
    "autoload": {
        "psr-4": {"Acme\\": "src/Acme/", "Acme\\Legacy\\": ["old/", "older/"], "": "fallback/"},
        "psr-0": {"Twig_": "lib/"},
        "classmap": ["generated/"],
        "files": ["src/helpers.php"],
        "exclude-from-classmap": ["/Tests/"],
    },
    "autoload-dev": {"psr-4": {"Acme\\Tests\\": "tests/"}},
}
PACKAGE = {"name": "acme/mailer", "autoload": {"psr-4": {"Acme\\Mailer\\": ""}}}
MANIFESTS = [("composer.json", json.dumps(ROOT)), ("packages/mailer/composer.json", json.dumps(PACKAGE))]
KERNEL = """\
namespace Acme\\Http;

use Acme\\Http\\{Request, Response as Reply};
use Acme\\Legacy\\Thing;
use Acme\\Mailer\\Message;
use Acme\\Tests\\KernelTest;
use Fallen\\Back;
use Psr\\Log\\LoggerInterface;

class Kernel {
    function handle(Request $r): Reply { $k = new Request(); return new Reply(new Message()); }
}
"""
FILES = {
    "packages/mailer/Transport/Smtp.php": "namespace Acme\\Mailer\\Transport;\n\nuse Acme\\Mailer\\Message;\n\n"
    "class Smtp { function send() { return new Message(); } }\n",
    "packages/mailer/Message.php": "namespace Acme\\Mailer;\nclass Message {}\n",
    "src/Acme/Http/Kernel.php": KERNEL,
    "src/Acme/Http/Request.php": "namespace Acme\\Http;\nclass Request {}\n",
    "src/Acme/Http/Response.php": "namespace Acme\\Http;\nclass Response {}\n",
    "older/Thing.php": "namespace Acme\\Legacy;\nclass Thing {}\n",
    "src/Acme/Legacy/Other.php": "namespace Acme\\Legacy;\nclass Other {}\n",
    "tests/KernelTest.php": "namespace Acme\\Tests;\nuse Acme\\Http\\Kernel;\n"
    "class KernelTest { function t() { new Kernel(); } }\n",
    "fallback/Fallen/Back.php": "namespace Fallen;\nclass Back {}\n",
}


def test_a_project_of_several_roots_and_packages_is_followed_as_composer_loads_it() -> None:
    graph = linked({path: f"<?php\n{text}" for path, text in FILES.items()}, known_of(MANIFESTS, {}))

    rows = [(row["path"].rpartition("/")[2], row["resolution"], row["target"]) for row in graph.imports.to_pylist()]
    assert rows == [
        ("Smtp.php", "file", "packages/mailer/Message.php"),
        ("Kernel.php", "file", "src/Acme/Http/Request.php"),
        ("Kernel.php", "file", "src/Acme/Http/Response.php"),
        ("Kernel.php", "file", "older/Thing.php"),
        ("Kernel.php", "file", "packages/mailer/Message.php"),
        ("Kernel.php", "file", "tests/KernelTest.php"),
        ("Kernel.php", "file", "fallback/Fallen/Back.php"),
        ("Kernel.php", "unknown", "Psr\\Log\\LoggerInterface"),
        ("KernelTest.php", "file", "src/Acme/Http/Kernel.php"),
    ]
    calls = {(row["source"], row["target_path"]) for row in graph.links.to_pylist() if row["kind"] == "call"}
    assert calls == {
        ("Smtp::send", "packages/mailer/Message.php"),
        ("Kernel::handle", "src/Acme/Http/Request.php"),
        ("Kernel::handle", "src/Acme/Http/Response.php"),
        ("Kernel::handle", "packages/mailer/Message.php"),
        ("KernelTest::t", "src/Acme/Http/Kernel.php"),
    }
