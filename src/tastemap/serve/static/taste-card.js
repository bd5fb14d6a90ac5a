// "Save as PNG" of the taste card: the picture that the server draws, on a canvas of its own size.

const NAME = "my-taste.png";

async function save(image) {
  // Drawn anew: the picture on the page is as old as the page.
  const picture = new Image(image.width, image.height);
  picture.src = `${image.getAttribute("src")}?${Date.now()}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Number(image.getAttribute("width"));
  canvas.height = Number(image.getAttribute("height"));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = NAME;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

for (const button of document.querySelectorAll(".save-png")) {
  button.hidden = false;
  button.addEventListener("click", () => save(document.querySelector(".taste-card")).catch(() => {
    button.textContent = "The picture cannot be had just now";
  }));
}
