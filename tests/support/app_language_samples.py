"""One small file of each language that applications for phones and the JVM are written in, and exactly what it says."""

from tests.support.golden import Golden

GOLDEN: dict[str, Golden] = {
    "app.kt": (
        """\
package zoo.dogs

import kotlin.math.max
import zoo.Animal as Beast
import zoo.util.*

/** How many. */
const val LIMIT = 10
typealias Name = String

/**
 * A good dog.
 */
@Serializable
open class Dog<T>(val name: Name) : Beast(name), Barker by helper {
    constructor(name: Name, age: Int) : this(name)

    val loud: Boolean get() = age > LIMIT

    override fun bark(times: Int): String = voice.make(times).trim()

    companion object Factory {
        fun of(name: Name) = Dog<Int>(name)
    }
}

interface Barker {
    fun bark(times: Int): String
}

enum class Size(val n: Int) : Base {
    SMALL(1),
    LARGE(2);

    fun big() = this == LARGE
}

object Registry : Store()

val String.shout: String get() = uppercase()

// Walks it.
suspend fun <T> List<T>.walk(far: Boolean) {
    fun step() {
        println("x")
    }
    val kept = max(1, 2)
    map { it.toString() }
}
""",
        [
            ("constant", "LIMIT", 8, 8, "How many."),
            ("type", "Name", 9, 9, ""),
            ("class", "Dog", 14, 25, "A good dog."),
            ("method", "Dog.constructor", 16, 16, ""),
            ("property", "Dog.loud", 18, 18, ""),
            ("method", "Dog.bark", 20, 20, ""),
            ("object", "Dog.Factory", 22, 24, ""),
            ("method", "Dog.Factory.of", 23, 23, ""),
            ("interface", "Barker", 27, 29, ""),
            ("method", "Barker.bark", 28, 28, ""),
            ("enum", "Size", 31, 36, ""),
            ("constant", "Size.SMALL", 32, 32, ""),
            ("constant", "Size.LARGE", 33, 33, ""),
            ("method", "Size.big", 35, 35, ""),
            ("object", "Registry", 38, 38, ""),
            ("property", "String.shout", 40, 40, ""),
            ("method", "List.walk", 43, 49, "Walks it."),
            ("function", "List.walk.step", 44, 46, ""),
        ],
        [
            ("package", None, "zoo.dogs", 1),
            ("import", None, "kotlin.math.max", 3),
            ("import", None, "zoo.Animal", 4),
            ("import", None, "zoo.util", 5),
            ("call", "Dog", "Serializable", 14),
            ("call", "Dog", "Beast", 15),
            ("inherit", "Dog", "Beast", 15),
            ("inherit", "Dog", "Barker", 15),
            ("call", "Dog.bark", "trim", 20),
            ("call", "Dog.bark", "voice.make", 20),
            ("inherit", "Size", "Base", 31),
            ("call", "Registry", "Store", 38),
            ("inherit", "Registry", "Store", 38),
            ("call", None, "uppercase", 40),
            ("call", "List.walk.step", "println", 45),
            ("call", "List.walk", "max", 47),
            ("call", "List.walk", "map", 48),
            ("call", "List.walk", "it.toString", 48),
            ("use", None, "String", 9),
            ("use", "Dog", "Name", 15),
            ("use", "Dog.constructor", "Name", 16),
            ("use", "Dog.constructor", "Int", 16),
            ("use", "Dog", "Boolean", 18),
            ("use", "Dog", "LIMIT", 18),
            ("use", "Dog.bark", "Int", 20),
            ("use", "Dog.bark", "String", 20),
            ("use", "Dog.Factory.of", "Name", 23),
            ("use", "Dog.Factory.of", "Dog", 23),
            ("use", "Dog.Factory.of", "Int", 23),
            ("use", "Barker.bark", "Int", 28),
            ("use", "Barker.bark", "String", 28),
            ("use", "Size", "Int", 31),
            ("use", "Size.big", "LARGE", 35),
            ("use", "List.walk", "List", 43),
            ("use", "List.walk", "Boolean", 43),
        ],
    ),
    "app.scala": (
        """\
package zoo.dogs

import scala.collection.mutable.{Map => MMap, Set}
import zoo.Animal
import zoo.util._

/** A good dog. */
class Dog(val name: String) extends Animal(name) with Barker {
  val Limit = 10
  type Key = String
  def bark(times: Int): String = voice.make(times)
  private def go(): Unit = {
    def step(): Unit = println("x")
    step()
    new Tail(3)
  }
}

object Dog {
  def apply(name: String): Dog = new Dog(name)
}

trait Barker {
  def bark(times: Int): String
}

case class Point(x: Int, y: Int)
sealed abstract class Tree[+A]
enum Color { case Red, Green }
enum Shape extends Base:
  case Circle(r: Double)
  case Square
given ordering: Ordering[Dog] with
  def compare(a: Dog, b: Dog): Int = a.age.compareTo(b.age)
extension (s: String)
  def shout: String = s.toUpperCase
case object Nil2 extends Tree
val top = 3
var other = top
type Name = String

""",
        [
            ("class", "Dog", 8, 17, "A good dog."),
            ("property", "Dog.Limit", 9, 9, ""),
            ("type", "Dog.Key", 10, 10, ""),
            ("method", "Dog.bark", 11, 11, ""),
            ("method", "Dog.go", 12, 16, ""),
            ("function", "Dog.go.step", 13, 13, ""),
            ("object", "Dog", 19, 21, ""),
            ("method", "Dog.apply", 20, 20, ""),
            ("trait", "Barker", 23, 25, ""),
            ("declaration", "Barker.bark", 24, 24, ""),
            ("class", "Point", 27, 27, ""),
            ("class", "Tree", 28, 28, ""),
            ("enum", "Color", 29, 29, ""),
            ("constant", "Color.Red", 29, 29, ""),
            ("constant", "Color.Green", 29, 29, ""),
            ("enum", "Shape", 30, 32, ""),
            ("constant", "Shape.Circle", 31, 31, ""),
            ("constant", "Shape.Square", 32, 32, ""),
            ("object", "ordering", 33, 34, ""),
            ("method", "ordering.compare", 34, 34, ""),
            ("method", "String.shout", 36, 36, ""),
            ("object", "Nil2", 37, 37, ""),
            ("variable", "top", 38, 38, ""),
            ("variable", "other", 39, 39, ""),
            ("type", "Name", 40, 40, ""),
        ],
        [
            ("package", None, "zoo.dogs", 1),
            ("import", None, "scala.collection.mutable.Map", 3),
            ("import", None, "scala.collection.mutable.Set", 3),
            ("import", None, "zoo.Animal", 4),
            ("import", None, "zoo.util", 5),
            ("inherit", "Dog", "Animal", 8),
            ("inherit", "Dog", "Barker", 8),
            ("call", "Dog.bark", "voice.make", 11),
            ("call", "Dog.go.step", "println", 13),
            ("call", "Dog.go", "step", 14),
            ("call", "Dog.go", "Tail", 15),
            ("call", "Dog.apply", "Dog", 20),
            ("inherit", "Shape", "Base", 30),
            ("call", "ordering.compare", "a.age.compareTo", 34),
            ("inherit", "Nil2", "Tree", 37),
            ("use", "Dog", "String", 8),
            ("use", "Dog.bark", "Int", 11),
            ("use", "Dog.bark", "String", 11),
            ("use", "Dog.go", "Unit", 12),
            ("use", "Dog.go.step", "Unit", 13),
            ("use", "Dog.apply", "String", 20),
            ("use", "Dog.apply", "Dog", 20),
            ("use", "Barker", "Int", 24),
            ("use", "Barker", "String", 24),
            ("use", "Point", "Int", 27),
            ("use", "Shape", "Double", 31),
            ("use", "ordering", "Ordering", 33),
            ("use", "ordering", "Dog", 33),
            ("use", "ordering.compare", "Dog", 34),
            ("use", "ordering.compare", "Int", 34),
            ("use", "String", "String", 35),
            ("use", "String.shout", "String", 36),
            ("use", None, "String", 40),
        ],
    ),
    "app.swift": (
        """\
import Foundation
import struct UIKit.UIView

/// A good dog.
public class Dog: Animal, Barker {
    let name: String
    static let limit = 10
    var loud: Bool { return age > 3 }
    init(name: String) { self.name = name }
    deinit { stop() }
    /// Says it.
    func bark(times: Int) -> String { return voice.make(times) }
    subscript(i: Int) -> Int { return i }
}
struct Point { var x: Int }
enum Size: String { case small, large
  case huge(Int)
  func big() -> Bool { true } }
protocol Barker: Base {
    func bark(times: Int) -> String
    var loud: Bool { get }
    associatedtype Item
}
extension Dog: Runner where T: Eq {
    func run() { let d = Dog(name: "x"); d.bark(times: 1); helper { step() } }
}
actor Counter { func add() async {} }
typealias Name = String
let top = 3
func walk<T>(_ dog: T) async throws {
    func step() {}
    step()
}
func + (a: Point, b: Point) -> Point { a }
macro stringify(_ x: Int) -> Int = #externalMacro(module: "M", type: "T")
""",
        [
            ("class", "Dog", 5, 14, "A good dog."),
            ("property", "Dog.name", 6, 6, ""),
            ("property", "Dog.limit", 7, 7, ""),
            ("property", "Dog.loud", 8, 8, ""),
            ("method", "Dog.init", 9, 9, ""),
            ("method", "Dog.deinit", 10, 10, ""),
            ("method", "Dog.bark", 12, 12, "Says it."),
            ("method", "Dog.subscript", 13, 13, ""),
            ("struct", "Point", 15, 15, ""),
            ("property", "Point.x", 15, 15, ""),
            ("enum", "Size", 16, 18, ""),
            ("constant", "Size.small", 16, 16, ""),
            ("constant", "Size.large", 16, 16, ""),
            ("constant", "Size.huge", 17, 17, ""),
            ("method", "Size.big", 18, 18, ""),
            ("interface", "Barker", 19, 23, ""),
            ("declaration", "Barker.bark", 20, 20, ""),
            ("declaration", "Barker.loud", 21, 21, ""),
            ("declaration", "Barker.Item", 22, 22, ""),
            ("method", "Dog.run", 25, 25, ""),
            ("class", "Counter", 27, 27, ""),
            ("method", "Counter.add", 27, 27, ""),
            ("type", "Name", 28, 28, ""),
            ("variable", "top", 29, 29, ""),
            ("function", "walk", 30, 33, ""),
            ("function", "walk.step", 31, 31, ""),
            ("macro", "stringify", 35, 35, ""),
        ],
        [
            ("import", None, "Foundation", 1),
            ("import", None, "UIKit.UIView", 2),
            ("inherit", "Dog", "Animal", 5),
            ("inherit", "Dog", "Barker", 5),
            ("call", "Dog.deinit", "stop", 10),
            ("call", "Dog.bark", "voice.make", 12),
            ("inherit", "Size", "String", 16),
            ("inherit", "Barker", "Base", 19),
            ("inherit", "Dog", "Runner", 24),
            ("call", "Dog.run", "Dog", 25),
            ("call", "Dog.run", "d.bark", 25),
            ("call", "Dog.run", "helper", 25),
            ("call", "Dog.run", "step", 25),
            ("call", "walk", "step", 32),
            ("use", "Dog", "String", 6),
            ("use", "Dog", "Bool", 8),
            ("use", "Dog.init", "String", 9),
            ("use", "Dog.bark", "Int", 12),
            ("use", "Dog.bark", "String", 12),
            ("use", "Dog.subscript", "Int", 13),
            ("use", "Point", "Int", 15),
            ("use", "Size", "Int", 17),
            ("use", "Size.big", "Bool", 18),
            ("use", "Barker", "Int", 20),
            ("use", "Barker", "String", 20),
            ("use", "Barker", "Bool", 21),
            ("use", "Dog", "Dog", 24),
            ("use", "Dog", "T", 24),
            ("use", "Dog", "Eq", 24),
            ("use", None, "String", 28),
            ("use", None, "Point", 34),
            ("use", None, "Int", 35),
        ],
    ),
    "app.dart": (
        """\
import 'dart:async';
import 'package:zoo/animal.dart' as z;
export 'src/a.dart';
part 'b.dart';

/// A good dog.
class Dog extends Animal with Runner implements Barker {
  static const limit = 10;
  final String name;
  Dog(this.name) : super(name);
  Dog.small(this.name);
  factory Dog.of(String n) => Dog(n);
  /// Says it.
  String bark(int times) {
    return voice.make(times);
  }
  bool get loud => age > 3;
  set loud(bool v) { age = 4; }
  int operator +(Dog o) => 1;
  void abs();
}
abstract class Barker { String bark(int times); }
mixin Runner on Base { void run() {} }
enum Size { small, large; int get n => 1; }
extension DogX on Dog { void walk() { bark(1); new Tail(); } }
typedef Name = String;
const top = 3;
final other = make();
// Walks it.
Future<void> walk(Dog dog) async {
  void step() { print('x'); }
  step();
  dog.bark(1);
  const Tail(2);
}
""",
        [
            ("class", "Dog", 7, 21, "A good dog."),
            ("constant", "Dog.limit", 8, 8, ""),
            ("property", "Dog.name", 9, 9, ""),
            ("method", "Dog.Dog", 10, 10, ""),
            ("method", "Dog.small", 11, 11, ""),
            ("method", "Dog.of", 12, 12, ""),
            ("method", "Dog.bark", 14, 16, "Says it."),
            ("property", "Dog.loud", 17, 17, ""),
            ("property", "Dog.loud", 18, 18, ""),
            ("method", "Dog.operator", 19, 19, ""),
            ("declaration", "Dog.abs", 20, 20, ""),
            ("class", "Barker", 22, 22, ""),
            ("declaration", "Barker.bark", 22, 22, ""),
            ("class", "Runner", 23, 23, ""),
            ("method", "Runner.run", 23, 23, ""),
            ("enum", "Size", 24, 24, ""),
            ("constant", "Size.small", 24, 24, ""),
            ("constant", "Size.large", 24, 24, ""),
            ("property", "Size.n", 24, 24, ""),
            ("class", "DogX", 25, 25, ""),
            ("method", "DogX.walk", 25, 25, ""),
            ("type", "Name", 26, 26, ""),
            ("constant", "top", 27, 27, ""),
            ("constant", "other", 28, 28, ""),
            ("function", "walk", 30, 35, "Walks it."),
            ("function", "walk.step", 31, 31, ""),
        ],
        [
            ("import", None, "dart:async", 1),
            ("import", None, "package:zoo/animal.dart", 2),
            ("import", None, "src/a.dart", 3),
            ("import", None, "b.dart", 4),
            ("inherit", "Dog", "Animal", 7),
            ("inherit", "Dog", "Runner", 7),
            ("inherit", "Dog", "Barker", 7),
            ("call", "Dog.of", "Dog", 12),
            ("call", "Dog.bark", "make", 15),
            ("inherit", "Runner", "Base", 23),
            ("call", "DogX.walk", "bark", 25),
            ("call", "DogX.walk", "Tail", 25),
            ("call", None, "make", 28),
            ("call", "walk.step", "print", 31),
            ("call", "walk", "step", 32),
            ("call", "walk", "bark", 33),
            ("call", "walk", "Tail", 34),
        ],
    ),
}
