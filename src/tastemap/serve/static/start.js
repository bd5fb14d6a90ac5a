// Opens the exported site on its data.
import { LikeSite } from "./like-site.js";
import { Site } from "./site.js";

const Kind = window.TASTEMAP.hasRatings ? Site : LikeSite;
window.tastemap = new Kind(window.TASTEMAP);
