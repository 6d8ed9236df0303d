"""What belongs to a language itself, so that no file of a repository is looked for. Data."""

import builtins
import io
import sys
from pathlib import Path


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PYTHON = frozenset(sys.stdlib_module_names)
PYTHON_BUILTINS = frozenset(dir(builtins))
NODE = _words("""
assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events
fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream
string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib
""")
RUST = _words("std core alloc proc_macro test")
JVM = (
    *("java.", "javax.", "jdk.", "sun.", "scala.", "android.", "androidx."),
    *("kotlin.", "kotlinx.coroutines.", "kotlinx.cinterop.", "platform."),
)
C_FOLDERS = _words("arpa asm bits linux mach net netinet rpc sys")
DOTNET = ("System", "Microsoft", "Windows", "Mono")
RUBY = _words("""
English abbrev base64 benchmark bigdecimal bundler cgi coverage csv date delegate did_you_mean digest drb erb etc
fcntl fiddle fileutils find forwardable getoptlong io/console io/wait ipaddr irb json logger matrix minitest mutex_m
net/http net/https nkf objspace observer open-uri open3 openssl optparse ostruct pathname pp prettyprint prime
pstore psych pty racc rake rbconfig readline reline resolv ripper rubygems securerandom set shellwords singleton
socket stringio strscan syslog tempfile test/unit time timeout tmpdir tracer tsort un uri weakref yaml zlib
""")
ELIXIR = _words("""
Access Agent Application Atom Base Behaviour Bitwise Calendar Code Collectable Config Date DateTime Dict
DynamicSupervisor EEx ETS Enum Enumerable ErlangError Exception ExUnit File Float Function GenEvent GenServer HashDict
HashSet IEx IO Inspect Integer Kernel Keyword List Logger Macro Map MapSet MatchError Mix Module NaiveDateTime Node
OptionParser Path PartitionSupervisor Port Process Protocol Range Record Regex Registry RuntimeError Set Stream String
StringIO Supervisor System Task Time Tuple URI Version
""")
LUA = _words("bit bit32 coroutine debug ffi io jit math os package string table table.clear table.new utf8")
SWIFT = _words("""
ARKit AVFoundation AVKit Accelerate Accounts AppIntents AppKit AudioToolbox AuthenticationServices CloudKit Cocoa
Combine CommonCrypto Contacts CoreAudio CoreBluetooth CoreData CoreFoundation CoreGraphics CoreImage CoreLocation
CoreML CoreMedia CoreMotion CoreServices CoreTelephony CoreText CoreVideo CryptoKit Darwin Dispatch Distributed
EventKit FileProvider Foundation FoundationEssentials FoundationNetworking FoundationXML GameKit GameplayKit Glibc
HealthKit HomeKit IOKit ImageIO Intents JavaScriptCore LocalAuthentication MapKit MediaPlayer MessageUI Metal MetalKit
MobileCoreServices MultipeerConnectivity Musl NaturalLanguage Network NetworkExtension Notification ObjectiveC
Observation OSLog PDFKit PackageDescription PackagePlugin Photos PhotosUI QuartzCore QuickLook RealityKit RegexBuilder
SafariServices SceneKit Security Social Speech SpriteKit StoreKit Swift SwiftData SwiftUI Synchronization
SystemConfiguration Testing TVUIKit UIKit UniformTypeIdentifiers UserNotifications Vision WASILibc WatchConnectivity
WatchKit WebKit WidgetKit WinSDK XCTest _Concurrency _StringProcessing os simd
""")
_VALUES = (str, bytes, list, dict, set, frozenset, tuple, int, float, object, type, io.StringIO, io.BytesIO, Path)
# Names that values of the languages themselves answer to: nobody can tell whose method is meant by them.
COMMON = frozenset(name for kind in _VALUES for name in dir(kind)) | _words("""
addAll all any apply assertEqual at bind build call catch charAt check clone collect compare compareTo concat config
connect contains containsKey create debug delete done each emit empty end entries equals error every exec execute
expect fail filter finally first fixture flatMap forEach from getName getValue handle has hasNext hashCode head
header host id includes info init invoke isEmpty iter json kind last len length list load lock log main make map
mark match max message min mock name new next node of on open options param parse patch path peek poll post print
println process push put query raise raises range reduce reload render request reset resolve result root run save
search select send session set setUp show size skip slice some start state status step stop stream submit subscribe
tag task tearDown test text then time toArray toList toString token touch transform trim type unwrap url use user
validate value valueOf verify version view visit wait warn wrap
""")
