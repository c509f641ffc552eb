// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "EmbedChains",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "chainrun", path: "../../..")],
  targets: [
    .executableTarget(
      name: "EmbedChains",
      dependencies: [.product(name: "ChainHost", package: "chainrun"), .product(name: "LuaBridge", package: "chainrun")])
  ],
  swiftLanguageModes: [.v6]
)
