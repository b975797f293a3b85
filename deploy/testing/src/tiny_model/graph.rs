//! A tiny model's `model.onnx`: scores looked up by token; every other input is accepted and ignored.
//!
//! The messages are the parts of ONNX's `onnx.proto` (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>) that such a graph
//! needs, with that file's field numbers.

use prost::Message;

/// Version of the format that has all parts used here: `IR_VERSION_2021_7_30` of `onnx.proto`.
const IR_VERSION: i64 = 8;
/// Version of the operators: the first whose `Unsqueeze` takes its axes as an input.
const OPSET_VERSION: i64 = 13;

/// `TensorProto.DataType` of `onnx.proto`.
const FLOAT: i32 = 1;
const INT64: i32 = 7;
/// `AttributeProto.AttributeType` of `onnx.proto`.
const INT_ATTRIBUTE: i32 = 2;

const IDS: &str = "input_ids";
/// Names of axes without a fixed length.
const BATCH: &str = "batch";
const TOKENS: &str = "tokens";

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(message, optional, tag = "7")]
    graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSetIdProto>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSetIdProto {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfoProto>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<AttributeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct AttributeProto {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    i: i64,
    #[prost(int32, tag = "20")]
    r#type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(float, repeated, tag = "4")]
    float_data: Vec<f32>,
    #[prost(int64, repeated, tag = "7")]
    int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ValueInfoProto {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    r#type: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeProto {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorTypeProto>,
}

/// `TypeProto.Tensor`.
#[derive(Clone, PartialEq, Message)]
struct TensorTypeProto {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<TensorShapeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<DimensionProto>,
}

/// `TensorShapeProto.Dimension`.
#[derive(Clone, PartialEq, Message)]
struct DimensionProto {
    #[prost(oneof = "Dimension", tags = "1, 2")]
    value: Option<Dimension>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Dimension {
    #[prost(int64, tag = "1")]
    DimValue(i64),
    #[prost(string, tag = "2")]
    DimParam(String),
}

/// The graph: `output = table[input_ids] + 0 * (each other input)`.
pub(super) fn encode(inputs: &[String], output: &str, table: &[Vec<f32>]) -> Vec<u8> {
    let width = table.first().map_or(0, Vec::len) as i64;
    let weights = TensorProto {
        float_data: table.concat(),
        ..tensor("weights", FLOAT, &[table.len() as i64, width])
    };
    let zero = TensorProto {
        float_data: vec![0.0],
        ..tensor("zero", FLOAT, &[])
    };
    let last_axis = TensorProto {
        int64_data: vec![2],
        ..tensor("last_axis", INT64, &[1])
    };
    let graph = GraphProto {
        node: nodes(inputs, output),
        name: "tiny".to_owned(),
        initializer: vec![weights, zero, last_axis],
        input: inputs
            .iter()
            .map(|name| value(name, INT64, &[free(BATCH), free(TOKENS)]))
            .collect(),
        output: vec![value(
            output,
            FLOAT,
            &[free(BATCH), free(TOKENS), Dimension::DimValue(width)],
        )],
    };
    let model = ModelProto {
        ir_version: IR_VERSION,
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET_VERSION,
        }],
    };
    model.encode_to_vec()
}

fn nodes(inputs: &[String], output: &str) -> Vec<NodeProto> {
    let mut nodes = vec![node("Gather", &["weights", IDS], "scores_0")];
    let mut scores = "scores_0".to_owned();
    for (number, input) in (1..).zip(inputs.iter().filter(|input| *input != IDS)) {
        let [float, nothing, column] = ["float", "nothing", "column"].map(|name| format!("{name}_{number}"));
        let sum = format!("scores_{number}");
        let mut cast = node("Cast", &[input], &float);
        cast.attribute.push(AttributeProto {
            name: "to".to_owned(),
            i: i64::from(FLOAT),
            r#type: INT_ATTRIBUTE,
        });
        nodes.extend([
            cast,
            node("Mul", &[&float, "zero"], &nothing),
            node("Unsqueeze", &[&nothing, "last_axis"], &column),
            node("Add", &[&scores, &column], &sum),
        ]);
        scores = sum;
    }
    nodes.push(node("Identity", &[&scores], output));
    nodes
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: operator.to_owned(),
        attribute: Vec::new(),
    }
}

/// A tensor without its data.
fn tensor(name: &str, data_type: i32, dims: &[i64]) -> TensorProto {
    TensorProto {
        dims: dims.to_vec(),
        data_type,
        float_data: Vec::new(),
        int64_data: Vec::new(),
        name: name.to_owned(),
    }
}

fn value(name: &str, elem_type: i32, axes: &[Dimension]) -> ValueInfoProto {
    let dim = |axis: &Dimension| DimensionProto {
        value: Some(axis.clone()),
    };
    let shape = TensorShapeProto {
        dim: axes.iter().map(dim).collect(),
    };
    let tensor_type = TensorTypeProto {
        elem_type,
        shape: Some(shape),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}

fn free(axis: &str) -> Dimension {
    Dimension::DimParam(axis.to_owned())
}
