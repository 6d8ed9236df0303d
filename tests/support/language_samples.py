"""One small file of each language, and exactly what it says."""

from tests.support.app_language_samples import GOLDEN as APPS
from tests.support.data_language_samples import GOLDEN as DATA
from tests.support.golden import Golden
from tests.support.script_language_samples import GOLDEN as SCRIPTS

GOLDEN: dict[str, Golden] = {
    **APPS,
    **SCRIPTS,
    **DATA,
    "app.py": (
        '''\
import os.path
from .views import index
from . import models, forms as f

LIMIT = 10


class Dog(Animal):
    """A good dog."""

    @property
    def bark(self) -> str:
        """Say it."""
        return self.voice.make(LIMIT)


# Walk a dog.
async def walk(dog: Dog, *, far: bool = False) -> None:
    def step() -> None:
        os.path.join("a")

    step()
''',
        [
            ("variable", "LIMIT", 5, 5, ""),
            ("class", "Dog", 8, 14, "A good dog."),
            ("method", "Dog.bark", 12, 14, "Say it."),
            ("function", "walk", 18, 22, "Walk a dog."),
            ("function", "walk.step", 19, 20, ""),
        ],
        [
            ("import", None, "os.path", 1),
            ("import", None, ".views", 2),
            ("import", None, ".models", 3),
            ("import", None, ".forms", 3),
            ("inherit", "Dog", "Animal", 8),
            ("call", "Dog", "property", 11),
            ("call", "Dog.bark", "self.voice.make", 14),
            ("call", "walk.step", "os.path.join", 20),
            ("call", "walk", "step", 22),
            *(("use", *one) for one in (("Dog.bark", "LIMIT", 14), ("walk", "Dog", 18), ("walk.step", "os.path", 20))),
        ],
    ),
    "app.js": (
        """\
import { readFile } from "node:fs";
const path = require("path");

/** Greets. */
class Greeter extends Base {
  greet(name) {
    return this.format(name);
  }
  #go = () => {};
}

export const twice = (x) => x * 2;
module.exports.run = function () { new Greeter(); };
function* items() {}
""",
        [
            ("variable", "path", 2, 2, ""),
            ("class", "Greeter", 5, 10, "Greets."),
            ("method", "Greeter.greet", 6, 8, ""),
            ("method", "Greeter.#go", 9, 9, ""),
            ("function", "twice", 12, 12, ""),
            ("function", "run", 13, 13, ""),
            ("function", "items", 14, 14, ""),
        ],
        [
            ("import", None, "node:fs", 1),
            ("call", None, "require", 2),
            ("import", None, "path", 2),
            ("inherit", "Greeter", "Base", 5),
            ("call", "Greeter.greet", "this.format", 7),
            ("call", "run", "Greeter", 13),
        ],
    ),
    "app.ts": (
        """\
import type { Context } from "./context";

/** What is stored. */
export interface Store<T> extends Base {
  get(key: string): T;
}
export type Key = string | number;
export enum Color { Red, Blue }
export abstract class Box implements Store<number> {
  abstract open(): void;
  get(key: string): number {
    return load(key);
  }
}
namespace Inner {
  export function hidden(): void {}
}
""",
        [
            ("interface", "Store", 4, 6, "What is stored."),
            ("declaration", "Store.get", 5, 5, ""),
            ("type", "Key", 7, 7, ""),
            ("enum", "Color", 8, 8, ""),
            ("class", "Box", 9, 14, ""),
            ("declaration", "Box.open", 10, 10, ""),
            ("method", "Box.get", 11, 13, ""),
            ("namespace", "Inner", 15, 17, ""),
            ("function", "Inner.hidden", 16, 16, ""),
        ],
        [
            ("import", None, "./context", 1),
            ("inherit", "Store", "Base", 4),
            ("inherit", "Box", "Store", 9),
            ("call", "Box.get", "load", 12),
            ("use", "Box", "Store", 9),
        ],
    ),
    "app.tsx": (
        """\
export function Page({ title }: Props) {
  return <Layout><h1>{title}</h1></Layout>;
}
export const Button = () => <button onClick={() => save()} />;
""",
        [
            ("function", "Page", 1, 3, ""),
            ("function", "Button", 4, 4, ""),
        ],
        [
            ("call", "Page", "Layout", 2),
            ("call", "Button", "save", 4),
        ],
    ),
    "app.go": (
        """\
package app

import (
	"fmt"
	log "github.com/x/log"
)

const Limit = 10

// Dog barks.
type Dog struct {
	Name string
}

type Barker interface {
	Bark() string
}

// Bark says it.
func (d *Dog) Bark() string {
	return fmt.Sprint(d.Name)
}

func New[T any](name string) *Dog {
	return &Dog{Name: name}
}
""",
        [
            ("constant", "Limit", 8, 8, ""),
            ("struct", "Dog", 11, 13, "Dog barks."),
            ("interface", "Barker", 15, 17, ""),
            ("declaration", "Barker.Bark", 16, 16, ""),
            ("method", "Dog.Bark", 20, 22, "Bark says it."),
            ("function", "New", 24, 26, ""),
        ],
        [
            ("import", None, "fmt", 4),
            ("import", None, "github.com/x/log", 5),
            ("call", "Dog.Bark", "fmt.Sprint", 21),
            ("call", "New", "Dog", 25),
            ("use", "Dog.Bark", "Dog", 20),
            ("use", "Dog.Bark", "fmt", 21),
            ("use", "New", "Dog", 24),
        ],
    ),
    "app.rs": (
        """\
use std::collections::HashMap;
mod inner;

/// A dog.
#[derive(Debug)]
pub struct Dog<T> {
    name: T,
}

pub trait Bark {
    fn bark(&self) -> String;
}

impl<T> Bark for Dog<T> {
    // Says it.
    fn bark(&self) -> String {
        format!("{}", self.name.len())
    }
}

macro_rules! twice {
    ($x:expr) => { $x * 2 };
}
""",
        [
            ("struct", "Dog", 6, 8, "A dog."),
            ("trait", "Bark", 10, 12, ""),
            ("declaration", "Bark::bark", 11, 11, ""),
            ("method", "Dog::bark", 16, 18, "Says it."),
            ("macro", "twice", 21, 23, ""),
        ],
        [
            ("import", None, "std::collections::HashMap", 1),
            ("import", None, "inner", 2),
            ("inherit", "Dog", "Bark", 14),
            ("call", "Dog::bark", "format", 17),
        ],
    ),
    "App.java": (
        """\
package app;

import java.util.List;

/**
 * A dog.
 */
public class Dog extends Animal implements Barker {
  private static final int LIMIT = 10;

  public Dog(String name) {
    super(name);
  }

  @Override
  public String bark() {
    return voice.make(new Sound());
  }

  enum Size { SMALL, BIG }
}
""",
        [
            ("class", "Dog", 8, 21, "A dog."),
            ("constant", "Dog.LIMIT", 9, 9, ""),
            ("method", "Dog.Dog", 11, 13, ""),
            ("method", "Dog.bark", 15, 18, ""),
            ("enum", "Dog.Size", 20, 20, ""),
            ("constant", "Dog.Size.SMALL", 20, 20, ""),
            ("constant", "Dog.Size.BIG", 20, 20, ""),
        ],
        [
            ("package", None, "app", 1),
            ("import", None, "java.util.List", 3),
            ("inherit", "Dog", "Animal", 8),
            ("inherit", "Dog", "Barker", 8),
            ("call", "Dog.bark", "make", 17),
            ("call", "Dog.bark", "Sound", 17),
        ],
    ),
    "app.c": (
        """\
#include <stdio.h>
#include "dog.h"
#define LIMIT 10
#define TWICE(x) ((x) * 2)

/* A dog. */
struct dog {
    int size;
};

typedef struct dog dog_t;
typedef int (*bark_fn)(struct dog *);
enum color { RED, BLUE };

int bark(struct dog *d);

/* Says it. */
static char *
bark_twice(struct dog *d)
{
    printf("%d", TWICE(d->size));
    return 0;
}
""",
        [
            ("macro", "LIMIT", 3, 3, ""),
            ("macro", "TWICE", 4, 4, ""),
            ("struct", "dog", 7, 9, "A dog."),
            ("type", "dog_t", 11, 11, ""),
            ("type", "bark_fn", 12, 12, ""),
            ("enum", "color", 13, 13, ""),
            ("declaration", "bark", 15, 15, ""),
            ("function", "bark_twice", 18, 23, "Says it."),
        ],
        [
            ("import", None, "stdio.h", 1),
            ("import", None, "dog.h", 2),
            ("call", "bark_twice", "printf", 21),
            ("call", "bark_twice", "TWICE", 21),
            ("use", None, "dog", 11),
            ("use", "bark_twice", "dog", 19),
        ],
    ),
    "app.cpp": (
        """\
#include <string>

namespace zoo {

/// A dog.
class Dog : public Animal {
 public:
  explicit Dog(int size) : size_(size) {}
  std::string bark() const;
  bool operator==(const Dog& other) const { return size_ == other.size_; }
  operator bool() const { return true; }
  ~Dog() {}

 private:
  int size_;
};

template <typename T>
struct Box<std::vector<T>> {};

using Dogs = std::vector<Dog>;

std::string Dog::bark() const { return make_sound(size_); }

}  // namespace zoo
""",
        [
            ("namespace", "zoo", 3, 25, ""),
            ("class", "zoo::Dog", 6, 16, "A dog."),
            ("method", "zoo::Dog::Dog", 8, 8, ""),
            ("declaration", "zoo::Dog::bark", 9, 9, ""),
            ("method", "zoo::Dog::operator==", 10, 10, ""),
            ("method", "zoo::Dog::operator bool", 11, 11, ""),
            ("method", "zoo::Dog::~Dog", 12, 12, ""),
            ("struct", "zoo::Box", 19, 19, ""),
            ("type", "zoo::Dogs", 21, 21, ""),
            ("method", "zoo::Dog::bark", 23, 23, ""),
        ],
        [
            ("import", None, "string", 1),
            ("inherit", "zoo::Dog", "Animal", 6),
            ("call", "zoo::Dog::bark", "make_sound", 23),
            ("use", "zoo::Dog::operator==", "Dog", 10),
            ("use", "zoo", "Dog", 21),
        ],
    ),
    "App.cs": (
        """\
using System.Text;

namespace Zoo
{
    /// <summary>A dog.</summary>
    public class Dog : Animal, IBarker
    {
        private const int Limit = 10;
        public string Name { get; set; }

        [Obsolete]
        public Dog(string name) { Name = name; }

        public string Bark()
        {
            return voice.Make(new Sound());
        }
    }

    public enum Color { Red }
}
""",
        [
            ("namespace", "Zoo", 3, 21, ""),
            ("class", "Zoo.Dog", 6, 18, "<summary>A dog.</summary>"),
            ("constant", "Zoo.Dog.Limit", 8, 8, ""),
            ("property", "Zoo.Dog.Name", 9, 9, ""),
            ("method", "Zoo.Dog.Dog", 11, 12, ""),
            ("method", "Zoo.Dog.Bark", 14, 17, ""),
            ("enum", "Zoo.Color", 20, 20, ""),
        ],
        [
            ("import", None, "System.Text", 1),
            ("inherit", "Zoo.Dog", "Animal", 6),
            ("inherit", "Zoo.Dog", "IBarker", 6),
            ("call", "Zoo.Dog.Bark", "voice.Make", 16),
            ("call", "Zoo.Dog.Bark", "Sound", 16),
            ("use", "Zoo.Dog.Dog", "Obsolete", 11),
        ],
    ),
    "app.php": (
        """\
<?php
namespace Zoo;

use Animals\\Animal;
require_once "boot.php";

/**
 * A dog.
 */
final class Dog extends Animal implements Barker
{
    use Loud;

    const LIMIT = 10;

    public function bark(int $times): string
    {
        return $this->voice->make(new Sound()) . strtoupper("x") . Dog::name();
    }
}

function walk(Dog $dog): void {}

enum Color { case Red; }
""",
        [
            ("class", "Dog", 10, 20, "A dog."),
            ("constant", "Dog::LIMIT", 14, 14, ""),
            ("method", "Dog::bark", 16, 19, ""),
            ("function", "walk", 22, 22, ""),
            ("enum", "Color", 24, 24, ""),
        ],
        [
            ("import", None, "Animals\\Animal", 4),
            ("inherit", "Dog", "Animal", 10),
            ("inherit", "Dog", "Barker", 10),
            ("inherit", "Dog", "Loud", 12),
            ("call", "Dog::bark", "make", 18),
            ("call", "Dog::bark", "Sound", 18),
            ("call", "Dog::bark", "strtoupper", 18),
            ("call", "Dog::bark", "name", 18),
            ("use", "Dog::bark", "Dog", 18),
            ("use", "walk", "Dog", 22),
        ],
    ),
}
