// Run the original MoveNet multipose in TensorFlow.js, to compare with and to make the tests' fixture:
//   npm install @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-converter@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
//   node movenet_reference.mjs model.json picture.bin height width > outputs.json
// picture.bin holds RGB bytes; run it in the folder that has node_modules.
import fs from "fs";
import { createRequire } from "module";
const require = createRequire(process.cwd() + "/");
const tf = require("@tensorflow/tfjs-core");
const { loadGraphModel } = require("@tensorflow/tfjs-converter");
const wasm = require("@tensorflow/tfjs-backend-wasm");

const [modelPath, picturePath, height, width] = process.argv.slice(2);
const heads = {
  center: "StatefulPartitionedCall/Sigmoid",
  scale: "StatefulPartitionedCall/box_scale_0/conv2d_5/BiasAdd",
  offset: "StatefulPartitionedCall/box_offset_0/conv2d_6/BiasAdd",
  keypoints: "StatefulPartitionedCall/kpt_regress_0/conv2d_8/BiasAdd",
  people: "Identity",
};

const handler = {
  load: async () => {
    const json = JSON.parse(fs.readFileSync(modelPath));
    const weights = fs.readFileSync(modelPath.replace(".json", ".bin"));
    return {
      modelTopology: json.modelTopology,
      format: json.format,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
    };
  },
};

wasm.setWasmPaths(process.cwd() + "/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
await tf.setBackend("wasm");
const model = await loadGraphModel(handler);
const bytes = Int32Array.from(fs.readFileSync(picturePath));
const picture = tf.tensor(bytes, [1, Number(height), Number(width), 3], "int32");
const outputs = {};
for (const [name, node] of Object.entries(heads)) {
  const tensor = model.execute(picture, node);
  outputs[name] = { shape: tensor.shape, data: Array.from(tensor.dataSync()) };
}
process.stdout.write(JSON.stringify(outputs));
