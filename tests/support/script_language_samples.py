"""One small file of each scripting language, and of Elixir, and exactly what it says."""

from tests.support.golden import Golden

GOLDEN: dict[str, Golden] = {
    "app.rb": (
        """\
require "json"
require_relative "animal"

module Zoo
  LIMIT = 10

  # A dog.
  class Dog < Animal
    include Comparable

    def self.create(name)
      new(name)
    end

    # Says it.
    def bark?
      voice.make(:loud)
    end

    def <=>(other) = 0
  end
end

class Zoo::Cat
end
""",
        [
            ("module", "Zoo", 4, 22, ""),
            ("constant", "Zoo::LIMIT", 5, 5, ""),
            ("class", "Zoo::Dog", 8, 21, "A dog."),
            ("method", "Zoo::Dog::create", 11, 13, ""),
            ("method", "Zoo::Dog::bark?", 16, 18, "Says it."),
            ("method", "Zoo::Dog::<=>", 20, 20, ""),
            ("class", "Zoo::Cat", 24, 25, ""),
        ],
        [
            ("call", None, "require", 1),
            ("import", None, "json", 1),
            ("call", None, "require_relative", 2),
            ("import", None, "animal", 2),
            ("inherit", "Zoo::Dog", "Animal", 8),
            ("call", "Zoo::Dog", "include", 9),
            ("inherit", "Zoo::Dog", "Comparable", 9),
            ("call", "Zoo::Dog::create", "new", 12),
            ("call", "Zoo::Dog::bark?", "make", 17),
            ("use", "Zoo::Dog", "Comparable", 9),
        ],
    ),
    "app.sh": (
        """\
#!/bin/bash
source ./lib.sh
. "$HOME/other.sh"
readonly LIMIT=10
NAME=x
export PATH2="a"
declare -r FOO=3
# Says it.
bark() {
  local v=1
  echo "$v" | grep x
  step
}
function walk {
  bark
}
bark 1
alias ll='ls -l'
""",
        [
            ("constant", "LIMIT", 4, 4, ""),
            ("variable", "NAME", 5, 5, ""),
            ("variable", "PATH2", 6, 6, ""),
            ("variable", "FOO", 7, 7, ""),
            ("function", "bark", 9, 13, "Says it."),
            ("function", "walk", 14, 16, ""),
        ],
        [
            ("import", None, "./lib.sh", 2),
            ("import", None, "$HOME/other.sh", 3),
            ("call", "bark", "grep", 11),
            ("call", "bark", "step", 12),
            ("call", "walk", "bark", 15),
            ("call", None, "bark", 17),
            ("call", None, "alias", 18),
        ],
    ),
    "app.lua": (
        """\
local json = require("json")
local util = require "zoo.util"
local M = {}
LIMIT = 10
-- Says it.
function M.bark(times)
  return voice.make(times)
end
function M.sub:walk(far)
  local function step() print("x") end
  step()
  self:stop()
end
local function helper() end
M.run = function(a) helper() end
local cb = function() end
return { go = function() end, M = M }
""",
        [
            ("variable", "json", 1, 1, ""),
            ("variable", "util", 2, 2, ""),
            ("variable", "M", 3, 3, ""),
            ("variable", "LIMIT", 4, 4, ""),
            ("method", "M.bark", 6, 8, "Says it."),
            ("method", "M.sub.walk", 9, 13, ""),
            ("function", "M.sub.walk.step", 10, 10, ""),
            ("function", "helper", 14, 14, ""),
            ("method", "M.run", 15, 15, ""),
            ("function", "cb", 16, 16, ""),
            ("function", "go", 17, 17, ""),
        ],
        [
            ("call", None, "require", 1),
            ("import", None, "json", 1),
            ("import", None, "zoo.util", 2),
            ("call", "M.bark", "voice.make", 7),
            ("call", "M.sub.walk.step", "print", 10),
            ("call", "M.sub.walk", "step", 11),
            ("call", "M.sub.walk", "self:stop", 12),
            ("call", "M.run", "helper", 15),
        ],
    ),
    "app.ex": (
        '''\
defmodule Zoo.Dog do
  @moduledoc """
  A good dog.
  """
  use GenServer
  import Ecto.Query, only: [from: 2]
  alias Zoo.{Animal, Tail}
  alias Zoo.Repo
  require Logger
  @behaviour Zoo.Barker

  @limit 10
  @type name :: String.t()
  defstruct [:name, age: 0]

  @doc """
  Says it.
  """
  @spec bark(t(), integer()) :: String.t()
  def bark(dog, times) when times > 0 do
    Voice.make(dog, times) |> String.trim()
  end
  def bark(_dog, 0), do: ""

  # Hidden.
  defp step, do: Logger.info("x")
  defmacro twice(x), do: quote(do: unquote(x))
  @callback run(integer) :: :ok
end
defprotocol Zoo.Size do
  @doc "How big."
  def size(x)
end
defimpl Zoo.Size, for: Zoo.Dog do
  def size(d), do: d |> helper()
end
defmodule Zoo.Err do
  defexception [:message]
  def a <> b, do: a
end
''',
        [
            ("module", "Zoo.Dog", 1, 29, "A good dog."),
            ("constant", "Zoo.Dog.limit", 12, 12, ""),
            ("type", "Zoo.Dog.name", 13, 13, ""),
            ("function", "Zoo.Dog.bark", 20, 22, "Says it."),
            ("function", "Zoo.Dog.bark", 23, 23, ""),
            ("function", "Zoo.Dog.step", 26, 26, "Hidden."),
            ("macro", "Zoo.Dog.twice", 27, 27, ""),
            ("declaration", "Zoo.Dog.run", 28, 28, ""),
            ("interface", "Zoo.Size", 30, 33, ""),
            ("method", "Zoo.Size.size", 32, 32, "How big."),
            ("method", "Zoo.Dog.size", 35, 35, ""),
            ("module", "Zoo.Err", 37, 40, ""),
        ],
        [
            ("import", "Zoo.Dog", "GenServer", 5),
            ("import", "Zoo.Dog", "Ecto.Query", 6),
            ("import", "Zoo.Dog", "Zoo.Animal", 7),
            ("import", "Zoo.Dog", "Zoo.Tail", 7),
            ("import", "Zoo.Dog", "Zoo.Repo", 8),
            ("import", "Zoo.Dog", "Logger", 9),
            ("inherit", "Zoo.Dog", "Zoo.Barker", 10),
            ("call", "Zoo.Dog.bark", "Voice.make", 21),
            ("call", "Zoo.Dog.bark", "String.trim", 21),
            ("call", "Zoo.Dog.step", "Logger.info", 26),
            ("inherit", "Zoo.Dog", "Zoo.Size", 34),
            ("call", "Zoo.Dog.size", "helper", 35),
        ],
    ),
}
